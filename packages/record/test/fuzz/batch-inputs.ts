import { crc32 } from '../../src/crc32c.ts'
import {
  type BatchOptions,
  type CompressionType,
  compress,
  crc32c,
  emptyBatchOf,
  endTransactionMarkerBatch,
  RecordBatchBuilder,
} from '../../src/index.ts'
import { legacyEntry, legacyWrapper } from '../legacy-entries.ts'
import type { FuzzRandom } from './fuzz-random.ts'
import { mutate, putNumber } from './mutations.ts'

export const codecs: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const time = 1_700_000_000_000

/** Valid batches of every shape that there is, from the real encoders. */
export const batchSamples: readonly Buffer[] = [
  ...(['none', 'snappy', 'lz4'] as const).flatMap((compressionType) => [
    sample({ compressionType, baseOffset: 5, producerId: 9, producerEpoch: 1, baseSequence: 3 }),
    sample({ compressionType, isTransactional: true, producerId: 1, producerEpoch: 0 }),
    sample({ compressionType, timestampType: 'LogAppendTime', leaderEpoch: 7 }),
    sample({ compressionType, deleteHorizon: time + 1, baseOffset: 2 ** 33 }),
    manyRecords(compressionType, 40),
  ]),
  // Codecs that take a hundred times as long: fewer, so that more inputs are read.
  sample({ compressionType: 'gzip' }),
  sample({ compressionType: 'zstd' }),
  ...markers(),
  ...legacySamples(),
]

/** The records of one batch as they stand in it uncompressed. */
const plainRecords: readonly Buffer[] = [
  sample({}).subarray(61),
  manyRecords('none', 12).subarray(61),
  ...markers().map((bytes) => bytes.subarray(61)),
]

const header = sample({ producerId: 9, producerEpoch: 1, baseSequence: 3 }).subarray(0, 61)

/** Fields of a batch of magic 2: where they are, and how wide. */
const headerFields = [
  [0, 8],
  [8, 4],
  [12, 4],
  [16, 1],
  [17, 4],
  [21, 2],
  [23, 4],
  [27, 8],
  [35, 8],
  [43, 8],
  [51, 2],
  [53, 4],
  [57, 4],
] as const

/** Anything: batches one after the other, changed here and there, checksums sometimes mended. */
export function changedBatches(random: FuzzRandom): Buffer {
  const count = 1 + random.int(3)
  const batches = Array.from({ length: count }, () => {
    const bytes = Buffer.from(random.pick(batchSamples))
    if (random.oneIn(2)) putHeaderNumber(random, bytes)
    const changed = random.oneIn(2) ? mutate(random, bytes, batchSamples) : bytes
    return random.oneIn(4) ? changed : mendChecksum(changed)
  })
  const all = Buffer.concat(batches)
  return random.oneIn(4) ? mutate(random, all, batchSamples) : all
}

/** Changed records under a right checksum, in any codec: what decodes them is reached. */
export function changedRecords(random: FuzzRandom): Buffer {
  const records = mutate(random, random.pick(plainRecords), plainRecords)
  // Compressing takes longer than all the rest, and adds nothing to what is decoded.
  const codec = random.oneIn(12) ? random.int(codecs.length) : 0
  const bytes = Buffer.concat([header, compress(codecs[codec] ?? 'none', records)])
  bytes.writeInt16BE(codec | (random.oneIn(3) ? random.int(16) << 3 : 0), 21)
  bytes.writeInt32BE(random.oneIn(3) ? random.int(200) : 2 ** 31 - 1, 23)
  bytes.writeInt32BE(random.oneIn(3) ? random.size(200) : 1 + random.int(12), 57)
  if (random.oneIn(4)) putHeaderNumber(random, bytes)
  return mendChecksum(bytes)
}

/** Compressed entries of magic 0 and 1 with changed ones inside, all checksums right. */
export function changedLegacyEntries(random: FuzzRandom): Buffer {
  const magic = random.oneIn(2) ? 0 : 1
  const inner = Array.from({ length: random.int(5) }, (_, offset) => {
    const entry = legacyEntry({ magic, offset, key: 'k', value: 'value value', timestamp: time })
    if (random.oneIn(3)) putNumber(random, entry, random.int(entry.length - 7), 8)
    const changed = random.oneIn(3) ? mutate(random, entry, batchSamples) : entry
    return random.oneIn(8) ? changed : mendChecksum(changed)
  })
  const codec = random.oneIn(12) ? random.pick(['gzip', 'lz4', 'zstd'] as const) : 'snappy'
  const offset = random.oneIn(3) ? random.int(9) : inner.length
  const bytes = legacyWrapper({ magic, offset, timestamp: time }, codec, inner)
  if (random.oneIn(4)) putNumber(random, bytes, random.int(bytes.length - 7), 8)
  return mendChecksum(bytes)
}

/** Makes the size and the checksum right, so far as that can be done for the magic it has. */
export function mendChecksum(bytes: Buffer): Buffer {
  if (bytes.length < 26) return bytes
  bytes.writeInt32BE(bytes.length - 12, 8)
  if (bytes[16] === 0 || bytes[16] === 1) bytes.writeUInt32BE(crc32(bytes.subarray(16)), 12)
  else if (bytes.length >= 61) bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return bytes
}

function putHeaderNumber(random: FuzzRandom, bytes: Buffer): void {
  const [at, width] = random.pick(headerFields)
  if (at + width <= bytes.length) putNumber(random, bytes, at, width)
}

function sample(options: BatchOptions): Buffer {
  return new RecordBatchBuilder({ defaultTimestamp: time, ...options })
    .append({ key: 'k0', value: 'value value value value value value' })
    .append({ key: null, value: null, timestamp: time + 500 })
    .append({
      key: '',
      value: '',
      headers: [
        { key: 'a', value: '1' },
        { key: 'ü', value: null },
      ],
    })
    .append({ key: 'k3', value: Buffer.alloc(80, 'abc'), timestamp: time - 10_000_000 })
    .build().bytes
}

function manyRecords(compressionType: CompressionType, count: number): Buffer {
  const builder = new RecordBatchBuilder({ compressionType, defaultTimestamp: time })
  for (let index = 0; index < count; index++) {
    builder.append({ key: `key-${index}`, value: `value of record ${index * 7919}` })
  }
  return builder.build().bytes
}

function markers(): Buffer[] {
  const marker = { producerId: 9, producerEpoch: 1, coordinatorEpoch: 2, timestamp: time }
  const commit = endTransactionMarkerBatch({ ...marker, type: 'commit' })
  const abort = endTransactionMarkerBatch({ ...marker, type: 'abort', baseOffset: 12 })
  return [commit.bytes, abort.bytes, emptyBatchOf(abort).bytes]
}

function legacySamples(): Buffer[] {
  return ([0, 1] as const).flatMap((magic) => {
    const inner = [0, 1, 2].map((offset) => {
      return legacyEntry({ magic, offset, key: 'k', value: 'value value value', timestamp: time })
    })
    return [
      legacyEntry({ magic, offset: 5, key: 'key', value: 'value', timestamp: time }),
      legacyEntry({ magic, offset: 6, key: null, value: null, timestamp: time, attributes: 8 }),
      ...(['gzip', 'snappy', 'lz4'] as const).map((codec) => {
        return legacyWrapper({ magic, offset: 2, timestamp: time }, codec, inner)
      }),
    ]
  })
}
