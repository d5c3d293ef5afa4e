import { InvalidArgumentError } from '@varve/record'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { CorruptCheckpointError } from '../../src/format/checkpoint-text.ts'
import {
  decodeOffsetCheckpoint,
  encodeOffsetCheckpoint,
  OffsetCheckpointFile,
} from '../../src/format/offset-checkpoint.ts'
import { isValidTopicName, partitionDirectoryName } from '../../src/storage/file-names.ts'
import { crashVariants } from '../../src/testing/crash-variant.ts'
import { Random, seedFromEnvironment } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

const seed = seedFromEnvironment('offset checkpoint')
const topics = fc.stringMatching(/^[a-zA-Z0-9._-]{1,30}$/).filter(isValidTopicName)
const maps = fc
  .array(fc.tuple(topics, fc.nat(), fc.maxSafeNat()), { maxLength: 20 })
  .map(
    (entries) =>
      new Map(
        entries.map(([topic, partition, offset]) => [
          partitionDirectoryName(topic, partition),
          offset,
        ]),
      ),
  )

describe('the text', () => {
  test('is what Kafka writes', () => {
    const offsets = new Map([
      ['orders-0', 17],
      ['a-b-12', 0],
    ])
    expect(encodeOffsetCheckpoint(offsets).toString()).toBe('0\n2\norders 0 17\na-b 12 0\n')
  })

  test('reads back as it was', () => {
    fc.assert(
      fc.property(maps, (offsets) => {
        expect(decodeOffsetCheckpoint(encodeOffsetCheckpoint(offsets), 'x')).toEqual(offsets)
      }),
      { seed },
    )
  })

  test.each([
    ['a path for a topic', '0\n1\n../../etc 0 1\n', 3],
    ['a partition beyond int32', '0\n1\na 2147483648 1\n', 3],
    ['a negative offset', '0\n1\na 0 -1\n', 3],
    ['an offset beyond 2^53', '0\n1\na 0 9223372036854775807\n', 3],
    ['a partition twice', '0\n2\na 0 1\na 0 2\n', 4],
    ['two columns', '0\n1\na 0\n', 3],
  ])('with %s is refused', (_, text, line) => {
    expect(() => decodeOffsetCheckpoint(Buffer.from(text), '/c')).toThrow(
      expect.objectContaining({ code: 'VARVE_CORRUPT_CHECKPOINT', path: '/c', line }),
    )
  })

  test('of any bytes at all reads or is refused', () => {
    const mutated = fc.tuple(maps, fc.nat(), fc.nat(255)).map(([offsets, at, value]) => {
      const bytes = encodeOffsetCheckpoint(offsets)
      bytes[at % bytes.length] = value
      return bytes
    })
    const random = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(random, mutated), (bytes) => {
        try {
          const offsets = decodeOffsetCheckpoint(bytes, 'x')
          expect(decodeOffsetCheckpoint(encodeOffsetCheckpoint(offsets), 'x')).toEqual(offsets)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptCheckpointError)
        }
      }),
      { seed, numRuns: 500 },
    )
  })

  test('is not made of what is no partition or offset', () => {
    for (const [name, offset] of [
      ['orders', 1],
      ['orders-0.abc-delete', 1],
      ['orders-0', -1],
      ['orders-0', 0.5],
    ] as const) {
      expect(() => encodeOffsetCheckpoint(new Map([[name, offset]]))).toThrow(InvalidArgumentError)
    }
  })
})

describe('the file', () => {
  let fs: SimulatedFileSystem
  let file: OffsetCheckpointFile

  beforeEach(() => {
    fs = new SimulatedFileSystem()
    file = new OffsetCheckpointFile(fs, '/recovery-point-offset-checkpoint')
  })

  test('is empty where there is none', () => {
    expect(file.read()).toEqual(new Map())
    expect(file.readOne('a-0')).toBeNull()
  })

  test('is read as it was written, whole or for one partition', async () => {
    await file.write(
      new Map([
        ['a-0', 5],
        ['b-1', 6],
      ]),
    )
    expect(file.readOne('b-1')).toBe(6)
    await file.writeOne('a-0', 7)
    await file.writeOne('c-0', 8)
    await file.writeOne('b-1', null)
    expect([...file.read()]).toEqual([
      ['a-0', 7],
      ['c-0', 8],
    ])
    expect(fs.openFiles()).toEqual([])
  })

  test('survives a power cut as the old or the new one, once told as the new one', async () => {
    await file.write(new Map([['a-0', 1]]))
    const before = fs.operations
    await file.write(new Map([['a-0', 2]]))
    for (let moment = before; moment <= fs.operations; moment += 1) {
      for (const variant of crashVariants(new Random(seed), 16)) {
        const disk = fs.crashState(moment, variant)
        const found = new OffsetCheckpointFile(disk, file.path).readOne('a-0')
        expect(moment === fs.operations ? [2] : [1, 2]).toContain(found)
      }
    }
  })

  test('takes writes that overlap in the order of the calls', async () => {
    const writes = [1, 2, 3, 4].map((offset) => file.write(new Map([['a-0', offset]])))
    await Promise.all([...writes, file.writeOne('b-0', 9)])
    expect([...file.read()]).toEqual([
      ['a-0', 4],
      ['b-0', 9],
    ])
  })

  test('tells a failed write to its caller only', async () => {
    fs.injectFault({ kind: 'EIO' })
    const failed = file.write(new Map([['a-0', 1]]))
    const done = file.write(new Map([['a-0', 2]]))
    await expect(failed).rejects.toThrow(/EIO/)
    await done
    expect(file.readOne('a-0')).toBe(2)
  })

  test('that is damaged is refused, and not replaced by a change to one partition', async () => {
    fs.writeBytes(file.path, Buffer.from('0\n1\nrubbish\n'))
    expect(() => file.read()).toThrow(CorruptCheckpointError)
    await expect(file.writeOne('a-0', 1)).rejects.toThrow(CorruptCheckpointError)
    await file.write(new Map([['a-0', 1]]))
    expect(file.readOne('a-0')).toBe(1)
  })
})
