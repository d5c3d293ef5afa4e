import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Batch,
  type CompressionType,
  CorruptBatchError,
  RecordBatchBuilder,
  readBatchAt,
  readBatches,
  VarveError,
} from '../src/index.ts'
import { legacyEntry, legacyWrapper } from './legacy-entries.ts'
import { checkProperty } from './property.ts'

const maxDecompressedBytes = 1024 * 1024
const codecs: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** One batch of every codec and magic, with a little of everything inside. */
const samples: readonly Buffer[] = [...codecs.map(sampleBatch), ...legacySamples()]
const sample = fc.constantFrom(...samples)

describe('whatever the bytes are, reading them ends in records or a typed error', () => {
  test('when they are random', () => {
    checkProperty(fc.uint8Array({ maxLength: 300 }), 2000, (bytes) => {
      readEverything(Buffer.from(bytes))
    })
  })

  test('when they are random behind a plausible header', () => {
    const input = fc.tuple(sample, fc.uint8Array({ minLength: 61, maxLength: 300 }), fc.nat(7))
    checkProperty(input, 2000, ([header, noise, codec]) => {
      const bytes = Buffer.from(noise)
      header.copy(bytes, 0, 0, 61)
      bytes.writeInt32BE(bytes.length - 12, 8)
      bytes.writeInt16BE(codec, 21)
      readEverything(bytes)
    })
  })

  test('when they are cut off', () => {
    for (const bytes of samples) {
      for (let size = 0; size < bytes.length; size++) {
        const cutOff = Buffer.from(bytes.subarray(0, size))
        readEverything(cutOff)
        // Cut off, but with a header that says it is not.
        if (size < 26) continue
        cutOff.writeInt32BE(size - 12, 8)
        readEverything(cutOff)
      }
    }
  })

  test('when some of them were changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 })
    checkProperty(fc.tuple(sample, changes), 2000, ([original, list]) => {
      const bytes = Buffer.from(original)
      for (const [at, value] of list) bytes[at % bytes.length] = value
      readEverything(bytes)
    })
  })

  test('when a number in them is one of the extremes', () => {
    const extremes = [0, -1, 2 ** 31 - 1, -(2 ** 31)]
    for (const original of samples) {
      for (let at = 0; at + 4 <= original.length; at++) {
        for (const value of extremes) {
          const bytes = Buffer.from(original)
          bytes.writeInt32BE(value, at)
          readEverything(bytes)
        }
      }
    }
  })
})

test('one flipped bit under the checksum never passes the check', () => {
  for (const original of samples) {
    const checked = original[16] === 2 ? 17 : 12
    for (let bit = checked * 8; bit < original.length * 8; bit++) {
      const bytes = Buffer.from(original)
      bytes[bit >> 3] = bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7))
      const check = () => {
        // A flip in the magic makes it another format, in which the bytes must not hold either.
        readBatchAt(bytes, 0, bytes.length, 0)?.validate()
      }
      expect(check).toThrow(CorruptBatchError)
    }
  }
})

test('a random change under the checksum never passes the check', () => {
  const input = fc.tuple(
    sample,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
  )
  checkProperty(input, 2000, ([original, list]) => {
    const bytes = Buffer.from(original)
    const checked = original[16] === 2 ? 17 : 12
    for (const [at, value] of list) {
      const index = checked + (at % (bytes.length - checked))
      bytes[index] = bytes.readUInt8(index) ^ value
    }
    if (bytes.equals(original)) return
    expect(() => readBatchAt(bytes, 0, bytes.length, 0)?.validate()).toThrow(VarveError)
  })
})

test('hostile counts and sizes take no memory to speak of', () => {
  const before = process.memoryUsage().rss
  for (let round = 0; round < 50; round++) {
    for (const original of samples) {
      const bytes = Buffer.from(original)
      if (bytes[16] === 2) {
        bytes.writeInt32BE(2 ** 31 - 1, 57)
        bytes.writeInt32BE(2 ** 31 - 1, 23)
      }
      readEverything(bytes)
    }
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
})

/** Does what readers do with bytes, all of it, and lets nothing but typed errors pass. */
function readEverything(bytes: Buffer): void {
  try {
    for (const batch of readBatches(bytes)) {
      orTyped(() => batch.validate())
      orTyped(() => readHeader(batch))
      orTyped(() => readRecords(batch, bytes))
    }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
  }
}

function orTyped(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
  }
}

function readHeader(batch: Batch): void {
  const numbers = [
    batch.lastOffset,
    batch.nextOffset,
    batch.leaderEpoch,
    batch.maxTimestamp,
    batch.producerId,
    batch.producerEpoch,
    batch.baseSequence,
    batch.lastSequence,
    batch.crc,
  ]
  for (const number of numbers) must(Number.isSafeInteger(number), 'a header number is exact')
  must(batch.baseOffset < batch.nextOffset, 'the next offset is behind the base offset')
  must(codecs.includes(batch.compressionType), 'the codec is known')
}

function readRecords(batch: Batch, bytes: Buffer): void {
  let previous = -1
  let size = 0
  for (const record of batch.records({ maxDecompressedBytes })) {
    must(record.offset > previous && record.offset <= batch.lastOffset, 'offsets rise in range')
    previous = record.offset
    must(Number.isSafeInteger(record.timestamp), 'a timestamp is exact')
    must((record.key?.length ?? -1) === record.keySize, 'the key has its size')
    must((record.value?.length ?? -1) === record.valueSize, 'the value has its size')
    for (const { key, value } of record.headers) size += key.length + (value?.length ?? 0)
    size += Math.max(record.keySize, 0) + Math.max(record.valueSize, 0)
  }
  // Views cannot hold more than the bytes that they are views of.
  must(size <= Math.max(bytes.length, maxDecompressedBytes), 'records lie within their bytes')
}

/** What `expect` says, at a hundredth of its cost: this is asked hundreds of thousands of times. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`)
}

function sampleBatch(compressionType: CompressionType): Buffer {
  return new RecordBatchBuilder({
    compressionType,
    baseOffset: 5,
    producerId: 9,
    producerEpoch: 1,
    baseSequence: 3,
    defaultTimestamp: 1_700_000_000_000,
  })
    .append({ key: 'k0', value: 'value value value value value value' })
    .append({ key: null, value: null, timestamp: 1_700_000_000_500 })
    .append({
      key: '',
      value: '',
      headers: [
        { key: 'a', value: '1' },
        { key: '', value: null },
      ],
    })
    .append({ key: 'k3', value: Buffer.alloc(80, 'abc'), timestamp: 1_600_000_000_000 })
    .build().bytes
}

function legacySamples(): Buffer[] {
  return ([0, 1] as const).flatMap((magic) => {
    const inner = [0, 1, 2].map((offset) => {
      return legacyEntry({ magic, offset, key: 'k', value: 'value value value', timestamp: 7 })
    })
    return [
      legacyEntry({ magic, offset: 5, key: 'key', value: 'value', timestamp: 7 }),
      ...(['gzip', 'snappy', 'lz4'] as const).map((codec) => {
        return legacyWrapper({ magic, offset: 2, timestamp: 7 }, codec, inner)
      }),
    ]
  })
}
