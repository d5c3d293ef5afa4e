import { describe, expect, test } from 'vitest'
import {
  type Batch,
  type CompressionType,
  CorruptBatchError,
  LegacyBatch,
  UnsupportedFormatError,
} from '../src/index.ts'
import { type LegacyEntry, legacyEntry, legacyWrapper } from './legacy-entries.ts'

const now = 1_700_000_000_000
const codecs = ['gzip', 'snappy', 'lz4'] as const
const magics = [0, 1] as const
const both = magics.flatMap((magic) => codecs.map((codec) => [magic, codec] as const))

describe('an entry of one record', () => {
  test.each(magics)('of magic %i is read', (magic) => {
    const entry = legacyEntry({ magic, offset: 42, key: 'k', value: 'v', timestamp: now })
    const batch = new LegacyBatch(entry, 9)
    batch.validate()
    expect(batch).toMatchObject({
      magic,
      position: 9,
      baseOffset: 42,
      lastOffset: 42,
      nextOffset: 43,
      count: null,
      compressionType: 'none',
      timestampType: magic === 0 ? 'NoTimestampType' : 'CreateTime',
      maxTimestamp: magic === 0 ? -1 : now,
      leaderEpoch: -1,
      producerId: -1,
      isControl: false,
      deleteHorizon: null,
    })
    expect(read(batch)).toEqual([[42, magic === 0 ? -1 : now, 'k', 'v']])
    expect([...batch.records()][0]).toMatchObject({ sequence: -1, headers: [] })
  })

  test.each(magics)('of magic %i tells null from empty', (magic) => {
    const nulls = new LegacyBatch(legacyEntry({ magic, offset: 0 }))
    expect(read(nulls)).toEqual([[0, -1, null, null]])
    const empties = new LegacyBatch(legacyEntry({ magic, offset: 0, key: '', value: '' }))
    expect(read(empties)).toEqual([[0, -1, '', '']])
  })

  test.each(magics)('of magic %i fails its check when any byte has changed', (magic) => {
    const entry = legacyEntry({ magic, offset: 1, key: 'key', value: 'value', timestamp: now })
    for (let at = 12; at < entry.length; at++) {
      const changed = Buffer.from(entry)
      changed[at] = changed.readUInt8(at) ^ 0x20
      expect(() => new LegacyBatch(changed).validate()).toThrow(CorruptBatchError)
    }
  })

  test.each(magics)('of magic %i that is not as long as it says is refused', (magic) => {
    const entry = legacyEntry({ magic, offset: 1, key: 'key', value: 'value' })
    for (let size = 0; size < entry.length; size++) {
      expect(() => new LegacyBatch(entry.subarray(0, size))).toThrow(CorruptBatchError)
    }
  })

  test('with impossible sizes inside is refused', () => {
    const keySizeAt = 18
    for (const size of [-2, 4, 2 ** 31 - 1, -(2 ** 31)]) {
      const entry = legacyEntry({ magic: 0, offset: 1, key: 'key', value: 'value' })
      entry.writeInt32BE(size, keySizeAt)
      expect(() => new LegacyBatch(entry).records()).toThrow(CorruptBatchError)
    }
  })

  test('with an offset or timestamp that a number cannot hold is refused', () => {
    const refused: readonly Partial<LegacyEntry>[] = [
      { offset: -1 },
      { offset: 2n ** 53n },
      { timestamp: 2n ** 60n },
    ]
    for (const change of refused) {
      const entry = legacyEntry({ magic: 1, offset: 0, ...change })
      expect(() => new LegacyBatch(entry)).toThrow(CorruptBatchError)
    }
  })
})

describe('a compressed entry', () => {
  test.each(both)('of magic %i in %s gives back its records', (magic, codec) => {
    const batch = new LegacyBatch(wrapThree(magic, codec))
    batch.validate()
    expect(batch).toMatchObject({ baseOffset: 100, lastOffset: 102, compressionType: codec })
    const times = magic === 0 ? [-1, -1, -1] : [now, now + 1, now + 2]
    expect(read(batch)).toEqual([
      [100, times[0], 'k0', 'v0'],
      [101, times[1], 'k1', 'v1'],
      [102, times[2], 'k2', 'v2'],
    ])
  })

  test('of magic 1 with the time of its append gives it to all its records', () => {
    const batch = new LegacyBatch(wrapThree(1, 'gzip', { attributes: 8, timestamp: now + 99 }))
    expect(batch.timestampType).toBe('LogAppendTime')
    expect(read(batch).map(([, timestamp]) => timestamp)).toEqual([now + 99, now + 99, now + 99])
  })

  test('of magic 1 that compaction has thinned out keeps its gaps', () => {
    const inner = [0, 5].map((offset) => legacyEntry({ magic: 1, offset, value: 'v' }))
    const batch = new LegacyBatch(legacyWrapper({ magic: 1, offset: 105 }, 'gzip', inner))
    expect(read(batch).map(([offset]) => offset)).toEqual([100, 105])
  })

  test('of magic 0 has the offsets that its records say, whatever its own', () => {
    const inner = [100, 101].map((offset) => legacyEntry({ magic: 0, offset, value: 'v' }))
    const batch = new LegacyBatch(legacyWrapper({ magic: 0, offset: 110 }, 'gzip', inner))
    expect(read(batch).map(([offset]) => offset)).toEqual([100, 101])
    expect(batch).toMatchObject({ baseOffset: 100, lastOffset: 110, nextOffset: 111 })
  })

  test('limits what it decompresses to', () => {
    const batch = new LegacyBatch(wrapThree(1, 'gzip'))
    expect(() => batch.records({ maxDecompressedBytes: 50 })).toThrow(/limit of 50/)
  })

  test.each([5, 6, 7, 4])('of codec %i, unknown to its magic, is unsupported', (attributes) => {
    const batch = new LegacyBatch(legacyEntry({ magic: 1, offset: 0, value: 'v', attributes }))
    expect(() => batch.validate()).toThrow(UnsupportedFormatError)
    expect(() => batch.records()).toThrow(UnsupportedFormatError)
  })

  const entry = (offset: number, change: Partial<LegacyEntry> = {}) =>
    legacyEntry({ magic: 1, offset, value: 'v', ...change })

  test.each<[string, readonly Buffer[]]>([
    ['nothing', []],
    ['half a record', [entry(0).subarray(0, 20)]],
    ['a record cut off', [entry(0), entry(1).subarray(0, 30)]],
    ['a record of another magic', [entry(0, { magic: 0 })]],
    ['a record that is compressed again', [entry(0, { attributes: 1 })]],
    ['offsets that fall', [entry(1), entry(0)]],
    ['the same offset twice', [entry(0), entry(0)]],
    ['a record with a wrong checksum', [withByteChanged(entry(0), 30)]],
    [
      'more than its offsets have room for',
      Array.from({ length: 200 }, (_, index) => entry(index)),
    ],
    ['a record of an impossible timestamp', [entry(0, { timestamp: 2n ** 62n })]],
  ])('that holds %s is corrupt', (_, inner) => {
    const batch = new LegacyBatch(legacyWrapper({ magic: 1, offset: 102 }, 'gzip', inner), 31)
    expect(() => [...batch.records()]).toThrow(CorruptBatchError)
    expect(() => [...batch.records()]).toThrow(/position 31/)
  })

  test('without a value is corrupt', () => {
    const batch = new LegacyBatch(legacyEntry({ magic: 1, offset: 0, attributes: 1 }))
    expect(() => batch.records()).toThrow(/no value/)
  })
})

function wrapThree(
  magic: 0 | 1,
  codec: CompressionType,
  change: Partial<LegacyEntry> = {},
): Buffer {
  const inner = [0, 1, 2].map((index) => {
    const offset = magic === 0 ? 100 + index : index
    return legacyEntry({
      magic,
      offset,
      key: `k${index}`,
      value: `v${index}`,
      timestamp: now + index,
    })
  })
  return legacyWrapper({ magic, offset: 102, timestamp: now + 2, ...change }, codec, inner)
}

function withByteChanged(bytes: Buffer, at: number): Buffer {
  bytes[at] = bytes.readUInt8(at) ^ 1
  return bytes
}

function read(batch: Batch): (readonly [number, number, string | null, string | null])[] {
  return [...batch.records()].map(({ offset, timestamp, key, value }) => {
    return [offset, timestamp, key?.toString() ?? null, value?.toString() ?? null] as const
  })
}
