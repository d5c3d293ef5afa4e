import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { compress, crc32c, decompress, VarveError } from '@varve/record'
import { BackupKeyError, CorruptRepositoryError } from '../base/backup-errors.ts'
import { type ObjectKind, type ObjectNaming, objectIdBytes, objectKinds } from './object-id.ts'

// An object: one piece of content, compressed where that helps, encrypted where the repository is.
// Big-endian:
//
//    0   4  magic 'VOBJ'
//    4   1  version, 1
//    5   1  kind: 0 data, 1 partition list, 2 manifest
//    6   1  codec: 0 none, 1 Zstandard
//    7   1  cipher: 0 none, 1 AES-256-GCM
//    8   4  length of the content
//   12   4  length of the payload
//   16  16  id of the epoch key; zeros without encryption
//   32  32  id of the object
//   64  12  nonce; zeros without encryption
//   76   n  payload: the content, compressed, then encrypted
//        16  authentication tag, with encryption only; it covers the header and the repository's id
//         4  CRC-32C of everything before
const magic = 0x564f424a
const version = 1
const kindAt = 5
const codecAt = 6
const cipherAt = 7
const contentLengthAt = 8
const payloadLengthAt = 12
const epochIdAt = 16
const idAt = 32
const nonceAt = 64
export const objectHeaderBytes = 76
const nonceBytes = 12
const tagBytes = 16
const crcBytes = 4

/** Encrypts the objects of one stretch of time. */
export interface EpochKey {
  /** 16 bytes, no secret. */
  readonly id: Buffer
  /** 32 bytes. */
  readonly key: Buffer
}

export interface EncodeOptions {
  readonly kind: ObjectKind
  /** @defaultValue computed */
  readonly id?: Buffer
  /** Whether to try to compress. */
  readonly compresses: boolean
  /** Null leaves it readable. */
  readonly epoch: EpochKey | null
  /** 16 bytes. */
  readonly repositoryId: Buffer
}

/** Compression that gains less is not worth its undoing. */
const gainMin = 0.95
/** So much of the content is tried first: what does not compress is found out cheaply. */
const sampleBytes = 64 * 1024
const compressionLevel = 1
const cipherPieceBytes = 64 * 1024

/** The file of an object. */
export function encodeObject(
  content: Uint8Array,
  naming: ObjectNaming,
  options: EncodeOptions,
): Buffer {
  const { kind, epoch, id = naming.idOf(kind, content) } = options
  const packed = options.compresses ? compressed(content) : null
  const payload = packed ?? content
  const bytes = Buffer.allocUnsafeSlow(
    objectHeaderBytes + payload.length + (epoch === null ? 0 : tagBytes) + crcBytes,
  )
  bytes.fill(0, 0, objectHeaderBytes)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeUInt8(version, 4)
  bytes.writeUInt8(objectKinds[kind], kindAt)
  bytes.writeUInt8(packed === null ? 0 : 1, codecAt)
  bytes.writeUInt8(epoch === null ? 0 : 1, cipherAt)
  bytes.writeUInt32BE(content.length, contentLengthAt)
  bytes.writeUInt32BE(payload.length, payloadLengthAt)
  id.copy(bytes, idAt)
  if (epoch === null) bytes.set(payload, objectHeaderBytes)
  else encryptInto(bytes, payload, epoch, options.repositoryId)
  const crcAt = bytes.length - crcBytes
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, crcAt)), crcAt)
  return bytes
}

function encryptInto(
  bytes: Buffer,
  payload: Uint8Array,
  epoch: EpochKey,
  repositoryId: Buffer,
): void {
  epoch.id.copy(bytes, epochIdAt)
  randomBytes(nonceBytes).copy(bytes, nonceAt)
  const header = bytes.subarray(0, objectHeaderBytes)
  const cipher = createCipheriv('aes-256-gcm', objectKey(epoch.key, header), nonceOf(header))
  cipher.setAAD(Buffer.concat([header, repositoryId]))
  let at = objectHeaderBytes
  // A piece at a time, which stays in the processor's cache: no second copy of it all is made.
  for (let from = 0; from < payload.length; from += cipherPieceBytes) {
    at += cipher.update(payload.subarray(from, from + cipherPieceBytes)).copy(bytes, at)
  }
  at += cipher.final().copy(bytes, at)
  cipher.getAuthTag().copy(bytes, at)
}

/** What the header of an object's file says. */
export interface ObjectHeader {
  readonly kind: ObjectKind
  readonly isCompressed: boolean
  readonly contentBytes: number
  /** Null without encryption. */
  readonly epochId: Buffer | null
  readonly id: Buffer
}

/** The epoch that an object's file names; null where it names none. Nothing is checked. */
export function epochIdOf(bytes: Buffer): Buffer | null {
  if (bytes.length < objectHeaderBytes || bytes.readUInt8(cipherAt) === 0) return null
  return bytes.subarray(epochIdAt, epochIdAt + 16)
}

/** Whether the content of an object's file has to be decompressed. Nothing is checked. */
export function isCompressedFile(bytes: Buffer): boolean {
  return bytes.length >= objectHeaderBytes && bytes.readUInt8(codecAt) !== 0
}

/** Checks all that can be checked without a key. Throws CorruptRepositoryError. */
export function readObjectHeader(bytes: Buffer, key: string): ObjectHeader {
  const fail = (reason: string): never => {
    throw new CorruptRepositoryError(key, reason)
  }
  if (bytes.length < objectHeaderBytes + crcBytes) return fail(`it has ${bytes.length} bytes`)
  if (bytes.readUInt32BE(0) !== magic) return fail('it does not begin with VOBJ')
  const crcAt = bytes.length - crcBytes
  if (bytes.readUInt32BE(crcAt) !== crc32c(bytes.subarray(0, crcAt))) {
    return fail('its checksum does not match')
  }
  const found = bytes.readUInt8(4)
  if (found !== version) return fail(`its version is ${found}, known is ${version}`)
  const kind = (Object.keys(objectKinds) as ObjectKind[]).find(
    (name) => objectKinds[name] === bytes.readUInt8(kindAt),
  )
  if (kind === undefined) return fail('its kind is unknown')
  const [codec, cipher] = [bytes.readUInt8(codecAt), bytes.readUInt8(cipherAt)]
  if (codec > 1 || cipher > 1) return fail('its codec or cipher is unknown')
  const payloadBytes = crcAt - objectHeaderBytes - (cipher === 1 ? tagBytes : 0)
  if (bytes.readUInt32BE(payloadLengthAt) !== payloadBytes) return fail('its length is wrong')
  return {
    kind,
    isCompressed: codec === 1,
    contentBytes: bytes.readUInt32BE(contentLengthAt),
    epochId: cipher === 0 ? null : bytes.subarray(epochIdAt, epochIdAt + 16),
    id: bytes.subarray(idAt, idAt + objectIdBytes),
  }
}

export interface DecodeOptions {
  readonly kind: ObjectKind
  /** The id by which it is known; null where it is known by its place only. */
  readonly id: Buffer | null
  /** Null in a repository that is not encrypted. */
  readonly epochKey: Buffer | null
  readonly repositoryId: Buffer
  /** Larger content is refused. */
  readonly contentBytesMax: number
  /** Its place, for errors. */
  readonly key: string
  /**
   * Whether the file may be decrypted where it lies: then it is a file no more.
   * @defaultValue false
   */
  readonly isInPlace?: boolean
  /** Memory for the content, where that is decompressed and fits. @defaultValue fresh memory */
  readonly into?: Buffer
}

/**
 * The content of an object's file, proven to be what its id says. Throws CorruptRepositoryError,
 * BackupKeyError.
 */
export function decodeObject(bytes: Buffer, naming: ObjectNaming, options: DecodeOptions): Buffer {
  const { key, kind, id } = options
  const header = readObjectHeader(bytes, key)
  const fail = (reason: string, cause?: unknown): never => {
    throw new CorruptRepositoryError(key, reason, { cause })
  }
  if (header.kind !== kind) return fail(`it holds a ${header.kind}, not a ${kind}`)
  if (id !== null && !header.id.equals(id)) return fail('it is another object')
  if (header.contentBytes > options.contentBytesMax) return fail('its content is too large')
  if ((header.epochId === null) !== (naming.idKey === null)) {
    return fail(header.epochId === null ? 'it is not encrypted' : 'it is encrypted')
  }
  const payload = header.epochId === null ? plainPayload(bytes) : decrypted(bytes, options)
  const { isCompressed, contentBytes } = header
  const content = isCompressed ? unpacked(payload, contentBytes, options.into, fail) : payload
  if (content.length !== header.contentBytes) return fail('its content has another length')
  if (!naming.idOf(kind, content).equals(header.id)) return fail('its content is not its own')
  return content
}

function plainPayload(bytes: Buffer): Buffer {
  return bytes.subarray(objectHeaderBytes, bytes.length - crcBytes)
}

function decrypted(
  bytes: Buffer,
  { epochKey, repositoryId, key, isInPlace = false }: DecodeOptions,
): Buffer {
  if (epochKey === null) throw new BackupKeyError(`${key} is encrypted, and there is no key to it`)
  const header = bytes.subarray(0, objectHeaderBytes)
  const tagAt = bytes.length - crcBytes - tagBytes
  const decipher = createDecipheriv('aes-256-gcm', objectKey(epochKey, header), nonceOf(header))
  decipher.setAAD(Buffer.concat([header, repositoryId]))
  decipher.setAuthTag(bytes.subarray(tagAt, tagAt + tagBytes))
  const payload = bytes.subarray(objectHeaderBytes, tagAt)
  const content = isInPlace ? payload : Buffer.allocUnsafeSlow(payload.length)
  let at = 0
  // A piece at a time, as it was encrypted.
  for (let from = 0; from < payload.length; from += cipherPieceBytes) {
    at += decipher.update(payload.subarray(from, from + cipherPieceBytes)).copy(content, at)
  }
  try {
    decipher.final()
  } catch (error) {
    throw new CorruptRepositoryError(key, 'it was not encrypted with its key', { cause: error })
  }
  return content
}

/** A key for each object, so that none is used for more bytes than GCM bears. */
function objectKey(epochKey: Buffer, header: Buffer): Buffer {
  const id = header.subarray(idAt, idAt + objectIdBytes)
  return Buffer.from(hkdfSync('sha256', epochKey, Buffer.alloc(0), id, 32))
}

function nonceOf(header: Buffer): Buffer {
  return header.subarray(nonceAt, nonceAt + nonceBytes)
}

/** Null when it would not get much smaller. */
function compressed(content: Uint8Array): Buffer | null {
  if (content.length > 2 * sampleBytes) {
    const at = Math.floor((content.length - sampleBytes) / 2)
    const sample = content.subarray(at, at + sampleBytes)
    if (compress('zstd', sample, compressionLevel).length > sampleBytes * gainMin) return null
  }
  const packed = compress('zstd', content, compressionLevel)
  return packed.length <= content.length * gainMin ? packed : null
}

function unpacked(
  payload: Buffer,
  contentBytes: number,
  into: Buffer | undefined,
  fail: (reason: string, cause: unknown) => never,
): Buffer {
  try {
    return decompress('zstd', payload, { maxBytes: contentBytes, ...(into && { into }) })
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    return fail(error.message, error)
  }
}
