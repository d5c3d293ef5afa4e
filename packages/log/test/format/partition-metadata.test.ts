import { InvalidArgumentError } from '@varve/record'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CorruptPartitionMetadataError,
  decodePartitionMetadata,
  encodePartitionMetadata,
  isTopicId,
  newTopicId,
  readPartitionMetadata,
  writePartitionMetadata,
} from '../../src/format/partition-metadata.ts'
import { Random, seedFromEnvironment } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

const seed = seedFromEnvironment('partition metadata')
const topicId = 'AAAAAAAAAAAAAAAAAAAABA'

test('the file is the 43 bytes that Kafka writes', () => {
  const bytes = encodePartitionMetadata(topicId)
  expect(bytes.toString()).toBe(`version: 0\ntopic_id: ${topicId}`)
  expect(bytes.length).toBe(43)
  expect(decodePartitionMetadata(bytes, 'x')).toBe(topicId)
})

test('the file may end with a line end, as an editor leaves it', () => {
  const text = `version: 0\r\ntopic_id: ${topicId}\r\n`
  expect(decodePartitionMetadata(Buffer.from(text), 'x')).toBe(topicId)
})

describe('topic ids', () => {
  test('are random UUIDs of version 4 without a leading hyphen', () => {
    const random = new Random(seed)
    for (let count = 0; count < 2000; count += 1) {
      const id = newTopicId((bytes) => random.bytes(bytes))
      expect(isTopicId(id)).toBe(true)
      expect(id.startsWith('-')).toBe(false)
      const bytes = Buffer.from(id, 'base64url')
      expect((bytes[6] ?? 0) >> 4).toBe(4)
      expect((bytes[8] ?? 0) >> 6).toBe(2)
    }
  })

  test('come out valid of the worst randomness', () => {
    for (const byte of [0x00, 0xff, 0xf8, 0xfb]) {
      const id = newTopicId((count) => new Uint8Array(count).fill(byte))
      expect(isTopicId(id)).toBe(true)
      expect(id.startsWith('-')).toBe(false)
    }
  })

  test.each([
    '',
    'AAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAB',
    `${topicId}==`,
    'x',
    'ä'.repeat(22),
    null as unknown as string,
    {} as unknown as string,
  ])('%j is none', (text) => {
    expect(isTopicId(text)).toBe(false)
    expect(() => encodePartitionMetadata(text)).toThrow(InvalidArgumentError)
  })
})

describe('a damaged file is refused', () => {
  test.each([
    ['empty', ''],
    ['of another version', `version: 1\ntopic_id: ${topicId}`],
    ['without a topic id', 'version: 0\n'],
    ['with the zero id', 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA'],
    ['with a short id', 'version: 0\ntopic_id: AAAA'],
    ['with more lines', `version: 0\ntopic_id: ${topicId}\nx: 1`],
  ])('when it is %s', (_, text) => {
    const refusal = expect.objectContaining({
      code: 'VARVE_CORRUPT_PARTITION_METADATA',
      path: '/p/partition.metadata',
    })
    expect(() => decodePartitionMetadata(Buffer.from(text), '/p/partition.metadata')).toThrow(
      refusal,
    )
  })

  test('or gives a topic id, whatever the bytes', () => {
    const valid = encodePartitionMetadata(topicId)
    const mutated = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, value]) => {
      const bytes = Buffer.from(valid)
      bytes[at] = value
      return bytes
    })
    const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(random, mutated), (bytes) => {
        try {
          expect(isTopicId(decodePartitionMetadata(bytes, 'x'))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptPartitionMetadataError)
        }
      }),
      { seed, numRuns: 500 },
    )
  })
})

test('a partition directory has the id that was written, or none', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectories('/orders-0')
  expect(readPartitionMetadata(fs, '/orders-0')).toBeNull()
  await writePartitionMetadata(fs, '/orders-0', topicId)
  expect(readPartitionMetadata(fs, '/orders-0')).toBe(topicId)
  expect([...fs.list('/orders-0')]).toEqual(['partition.metadata'])
  expect(fs.openFiles()).toEqual([])
})
