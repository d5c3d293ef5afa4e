import { readBatchAt, VarveError } from '@varve/record'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scanBatches } from '../../src/format/segment-scan.ts'
import { StretchReader } from '../../src/format/stretch-reader.ts'
import { BytesFile } from '../fuzz/bytes-file.ts'
import { batchOf } from '../log-fixture.ts'
import { checkProperty } from '../property.ts'

const KiB = 1024
const MiB = KiB * KiB

/** Answers when it pleases, after the event loop has turned a few times. */
class LateFile extends BytesFile {
  #calls = 0

  override async read(target: Uint8Array, position: number): Promise<number> {
    this.#calls += 1
    await turns(this.#calls % 4)
    return super.read(target, position)
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** What is to be found of a file, by looking at all of it at once. */
function expectedOf(bytes: Buffer): { readonly positions: number[]; readonly stop: string } {
  const positions: number[] = []
  let at = 0
  try {
    while (at < bytes.length) {
      const batch = readBatchAt(bytes, at, bytes.length, at)
      if (batch === null) return { positions, stop: 'incomplete' }
      batch.validate()
      positions.push(at)
      at += batch.sizeBytes
    }
    return { positions, stop: 'end' }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    return { positions, stop: 'corrupt' }
  }
}

/** Batches of these sizes, about. */
function fileOf(sizes: readonly number[]): Buffer {
  let baseOffset = 0
  const batches = sizes.map((size) => {
    const value = Buffer.alloc(size, `${size}:${baseOffset} `)
    return batchOf([{ value }], { baseOffset: baseOffset++ }).bytes
  })
  return Buffer.concat(batches)
}

/** From tiny ones to some that are larger than what is read at once. */
const sizes = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.nat(2 * KiB) },
    { weight: 4, arbitrary: fc.integer({ min: 20 * KiB, max: 300 * KiB }) },
    { weight: 1, arbitrary: fc.integer({ min: 900 * KiB, max: 6 * MiB }) },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
)

describe('a scan', () => {
  test('finds what is there up to the first damage, whenever reads and their users are done', async () => {
    const input = fc.record({
      sizes,
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      kind: fc.nat(3),
    })
    await checkProperty(input, 15, async ({ sizes, at, kind }) => {
      const whole = fileOf(sizes)
      const place = Math.floor(at * (whole.length - 1))
      const bytes = kind === 1 ? whole.subarray(0, place) : whole
      if (kind === 2) bytes[place] = (bytes[place] ?? 0) ^ 0x10
      const expected = expectedOf(bytes)
      const visited: number[] = []
      const taken: Buffer[] = []
      const places: number[] = []
      const end = await scanBatches(
        new LateFile(bytes),
        (batch, memory, start) => {
          visited.push(batch.position)
          expect(memory.readInt32BE(start + 8)).toBe(batch.sizeBytes - 12)
          return true
        },
        {
          onVisited: async (stretch, position) => {
            const index = taken.push(Buffer.alloc(0)) - 1
            await turns((index * 5) % 13)
            places.push(position)
            taken[index] = Buffer.from(stretch)
          },
        },
      )
      expect(visited).toEqual(expected.positions)
      expect(end.stop).toBe(expected.stop)
      expect(new Set(places).size).toBe(taken.length)
      // All of what was visited and nothing else, and no byte of it was overwritten meanwhile.
      expect(Buffer.concat(taken).equals(bytes.subarray(0, end.position))).toBe(true)
    })
  }, 30_000)

  test.each([
    ['several of which are read at once', 2 * MiB],
    ['each of which is larger than what is read at once', 5 * MiB],
  ])('uses memory again for large batches, %s', async (_, size) => {
    const bytes = fileOf(Array.from({ length: 12 }, () => size))
    const memories = new Set<Buffer>()
    let count = 0
    const visit = (_: unknown, memory: Buffer): boolean => {
      memories.add(memory)
      count += 1
      return true
    }
    await scanBatches(new LateFile(bytes), visit, { onVisited: () => turns(3) })
    expect(count).toBe(12)
    expect(memories.size).toBeLessThanOrEqual(4)
  })

  test('ends where the visitor ends it, with that batch not taken', async () => {
    const bytes = fileOf(Array.from({ length: 100 }, () => 40 * KiB))
    let count = 0
    let takenBytes = 0
    const end = await scanBatches(new LateFile(bytes), () => ++count <= 60, {
      onVisited: async (stretch) => {
        takenBytes += stretch.length
      },
    })
    expect(end).toEqual({ position: takenBytes, stop: 'visitor', reason: null })
    expect(count).toBe(61)
    expect(expectedOf(bytes).positions[60]).toBe(takenBytes)
  })

  test('rejects when what is done with a stretch fails, having waited for the rest', async () => {
    const bytes = fileOf(Array.from({ length: 100 }, () => 100 * KiB))
    let underWay = 0
    const scan = scanBatches(new LateFile(bytes), () => true, {
      onVisited: async (_stretch, position) => {
        underWay += 1
        await turns(3)
        underWay -= 1
        if (position > 2 * MiB) throw new Error('the disk is gone')
      },
    })
    await expect(scan).rejects.toThrow('the disk is gone')
    expect(underWay).toBe(0)
  })

  test('rejects when the file cannot be read, also where that was begun ahead', async () => {
    const bytes = fileOf(Array.from({ length: 100 }, () => 100 * KiB))
    for (const failing of [0, 1, 3]) {
      let calls = 0
      class FailingFile extends LateFile {
        override async read(target: Uint8Array, position: number): Promise<number> {
          const count = await super.read(target, position)
          if (calls++ === failing) throw new Error('EIO')
          return count
        }
      }
      await expect(scanBatches(new FailingFile(bytes), () => true)).rejects.toThrow('EIO')
    }
  })

  test('of a file that has become shorter ends before what is gone', async () => {
    const bytes = fileOf(Array.from({ length: 30 }, () => 100 * KiB))
    const end = await scanBatches(new LateFile(bytes), () => true, { to: bytes.length + 5 * MiB })
    expect(end).toMatchObject({ stop: 'incomplete', reason: 'the file is shorter than expected' })
    const from = await scanBatches(new LateFile(bytes), () => true, { from: 100, to: 100 })
    expect(from).toEqual({ position: 100, stop: 'end', reason: null })
  })

  test('believes no size field that says more than the file holds', async () => {
    const bytes = fileOf([10, 10])
    bytes.writeInt32BE(2 ** 31 - 100, 8)
    const end = await scanBatches(new LateFile(bytes), () => true)
    expect(end).toMatchObject({ position: 0, stop: 'incomplete' })
  })
})

test('a reader of stretches uses three buffers at most, and no larger than needed', async () => {
  const bytes = fileOf(Array.from({ length: 200 }, () => 50 * KiB))
  const reader = new StretchReader(new LateFile(bytes), 0, bytes.length)
  const buffers = new Set<Buffer>()
  let stretch = await reader.first()
  while (stretch.position + stretch.filled < bytes.length) {
    buffers.add(stretch.memory)
    const used = stretch.filled - 1000
    await reader.readAhead(used)
    const { memory, filled, position } = stretch
    expect(memory.compare(bytes, position, position + filled, 0, filled)).toBe(0)
    stretch = await reader.next(used, 0, turns(7))
  }
  await reader.settle()
  expect(stretch.filled).toBeGreaterThan(1000)
  expect(buffers.size).toBeLessThanOrEqual(3)
  for (const buffer of buffers) expect(buffer).toHaveLength(MiB)
})
