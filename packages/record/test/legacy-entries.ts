import { crc32 } from '../src/crc32c.ts'
import { type CompressionType, compress } from '../src/index.ts'

/** An entry of magic 0 or 1 as a test wants it; nothing here checks that it makes sense. */
export interface LegacyEntry {
  readonly magic: 0 | 1
  readonly offset: number | bigint
  readonly key?: string | null
  readonly value?: Uint8Array | string | null
  readonly timestamp?: number | bigint
  readonly attributes?: number
}

const codecIds = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

/** Varve reads these formats and does not write them, so the tests do. */
export function legacyEntry(entry: LegacyEntry): Buffer {
  const body = Buffer.concat([
    Buffer.from([entry.magic, entry.attributes ?? 0]),
    entry.magic === 1 ? int64(entry.timestamp ?? -1) : Buffer.alloc(0),
    sized(entry.key),
    sized(entry.value),
  ])
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([int64(entry.offset), int32(body.length + 4), checksum, body])
}

/** A compressed entry around the given ones. */
export function legacyWrapper(
  entry: Omit<LegacyEntry, 'value'>,
  compressionType: CompressionType,
  inner: readonly Buffer[],
): Buffer {
  let value = compress(compressionType, Buffer.concat(inner))
  if (entry.magic === 0 && compressionType === 'lz4') {
    // Magic 0 hashed the frame's magic number along.
    value = Buffer.from(value)
    value[6] = 0x1a
  }
  const attributes = (entry.attributes ?? 0) | codecIds[compressionType]
  return legacyEntry({ ...entry, value, attributes })
}

function sized(field: Uint8Array | string | null | undefined): Buffer {
  if (field === null || field === undefined) return int32(-1)
  const bytes = Buffer.from(field)
  return Buffer.concat([int32(bytes.length), bytes])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
