import { RecordBatchBuilder } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { Random, SimulatedFileSystem, seedFromEnvironment } from '../../src/testing/index.ts'
import { type SegmentDamage, surveySegment } from '../../src/verify/segment-survey.ts'

const seed = seedFromEnvironment('segment survey')

function batch(baseOffset: number, count: number, value: Buffer | string = 'value'): Buffer {
  const builder = new RecordBatchBuilder({ baseOffset, leaderEpoch: 0, defaultTimestamp: 1000 })
  for (let index = 0; index < count; index += 1) builder.append({ key: `k${index}`, value })
  return builder.build().bytes
}

interface Surveyed {
  readonly offsets: readonly number[]
  readonly damages: readonly SegmentDamage[]
  readonly nextOffset: number
}

async function survey(bytes: Buffer, to = Number.POSITIVE_INFINITY): Promise<Surveyed> {
  const fs = new SimulatedFileSystem()
  fs.writeBytes('/log', bytes)
  const file = fs.open('/log', 'read')
  const offsets: number[] = []
  const damages: SegmentDamage[] = []
  const options = { bounds: { from: 0, to }, baseOffset: 0, sizeBytes: bytes.length }
  const end = await surveySegment(file, options, {
    batch: (found) => void offsets.push(found.baseOffset),
    damage: (damage) => void damages.push(damage),
  })
  file.close()
  return { offsets, damages, nextOffset: end.nextOffset }
}

const whole = [batch(0, 3), batch(3, 2), batch(5, 4), batch(9, 1)]
const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = whole

describe('surveying a segment', () => {
  test('visits every batch of a segment that is whole', async () => {
    const { offsets, damages, nextOffset } = await survey(Buffer.concat(whole))
    expect({ offsets, damages, nextOffset }).toEqual({
      offsets: [0, 3, 5, 9],
      damages: [],
      nextOffset: 10,
    })
  })

  test('goes on behind a batch whose bytes were changed', async () => {
    const bytes = Buffer.concat(whole)
    bytes[first.length + 70] = (bytes[first.length + 70] ?? 0) ^ 4
    const { offsets, damages } = await survey(bytes)
    expect(offsets).toEqual([0, 5, 9])
    expect(damages).toMatchObject([
      { kind: 'corrupt', position: first.length, sizeBytes: second.length },
    ])
    expect(damages).toMatchObject([{ firstOffset: 3, lastOffset: 4, isFollowed: true }])
  })

  test('mends a size or magic that was changed, by the checksum', async () => {
    for (const at of [8, 9, 10, 11, 16]) {
      for (let mask = 1; mask < 256; mask *= 2) {
        const bytes = Buffer.concat(whole)
        const byte = first.length + at
        bytes[byte] = (bytes[byte] ?? 0) ^ mask
        const { offsets, damages } = await survey(bytes)
        expect(offsets, `byte ${at} mask ${mask}`).toEqual([0, 3, 5, 9])
        expect(damages).toMatchObject([{ kind: 'altered', position: first.length }])
        expect(damages[0]?.restored?.equals(second.subarray(0, 21))).toBe(true)
      }
    }
  })

  test('tells which of two batches is at the wrong offset, and where it belongs', async () => {
    for (let index = 0; index < whole.length; index += 1) {
      for (let bit = 0; bit < 40; bit += 1) {
        const bytes = Buffer.concat(whole)
        const position = whole.slice(0, index).reduce((sum, { length }) => sum + length, 0)
        const byte = position + 7 - (bit >> 3)
        bytes[byte] = (bytes[byte] ?? 0) ^ (1 << (bit & 7))
        const { damages } = await survey(bytes, 10)
        expect(damages, `batch ${index} bit ${bit}`).toMatchObject([
          { kind: 'misplaced', position },
        ])
        const header = Buffer.concat(whole).subarray(position, position + 21)
        expect(damages[0]?.restored?.equals(header)).toBe(true)
      }
    }
  })

  test('is not fooled by a batch in the value of a record', async () => {
    // A log of logs: the value is a whole batch, with an offset that would fit.
    const outer = batch(3, 2, batch(4, 1))
    const bytes = Buffer.concat([first, outer, batch(5, 4)])
    bytes.writeInt32BE(outer.length + 1000, first.length + 8)
    const { offsets, damages } = await survey(bytes)
    expect(offsets).toEqual([0, 3, 5])
    expect(damages).toMatchObject([{ kind: 'altered', sizeBytes: outer.length }])
  })

  test('accounts for zeros and for rubbish at the end', async () => {
    const zeros = await survey(Buffer.concat([...whole, Buffer.alloc(5000)]))
    expect(zeros.damages).toMatchObject([{ kind: 'zeros', sizeBytes: 5000, isFollowed: false }])
    const rubbish = await survey(Buffer.concat([...whole, new Random(seed).bytes(333)]))
    expect(rubbish.damages).toMatchObject([{ kind: 'corrupt', sizeBytes: 333, lastOffset: null }])
    expect([zeros.nextOffset, rubbish.nextOffset]).toEqual([10, 10])
  })

  test('ends, with every byte accounted for, whatever the bytes are', async () => {
    const random = new Random(seed)
    for (let round = 0; round < 200; round += 1) {
      const pieces = Array.from({ length: random.between(1, 6) }, () => {
        const piece = Buffer.from(random.pick([...whole, random.bytes(random.int(200))]))
        if (random.bool(0.3) && piece.length > 0) piece[random.int(piece.length)] = random.int(256)
        return random.bool(0.2) ? piece.subarray(0, random.int(piece.length + 1)) : piece
      })
      const bytes = Buffer.concat(pieces)
      const fs = new SimulatedFileSystem()
      fs.writeBytes('/log', bytes)
      let seen = 0
      const options = {
        ...{ bounds: { from: 0, to: Number.POSITIVE_INFINITY }, baseOffset: 0 },
        sizeBytes: bytes.length,
      }
      const misplaced: number[] = []
      await surveySegment(fs.open('/log', 'read'), options, {
        batch: ({ position, sizeBytes }) => {
          misplaced.push(position)
          seen += sizeBytes
        },
        damage: ({ kind, position, sizeBytes }) => {
          // A batch that was taken for right first, or was mended, has been counted.
          if (kind !== 'altered' && !misplaced.includes(position)) seen += sizeBytes
        },
      })
      expect(seen, `VARVE_SEED=${seed}, round ${round}`).toBe(bytes.length)
    }
  })
})
