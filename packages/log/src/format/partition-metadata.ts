import { InvalidArgumentError, VarveError } from '@varve/record'
import { partitionMetadataFileName } from '../storage/file-names.ts'
import { type FileSystem, readSmallFile, replaceSmallFile } from '../storage/file-system.ts'

/** A `partition.metadata` file is not in Kafka's form. */
export class CorruptPartitionMetadataError extends VarveError {
  readonly code = 'VARVE_CORRUPT_PARTITION_METADATA'
  readonly path: string
  /** What is wrong, without the place. */
  readonly reason: string

  constructor(path: string, reason: string) {
    super(`corrupt partition metadata ${path}: ${reason}`)
    this.path = path
    this.reason = reason
  }
}

const topicIdBytes = 16

/** Of Kafka's file; it has 43 bytes. */
const metadataBytesMax = 1024

// Two lines, of which Kafka does not end the second. The topic's UUID stands in URL-safe base64
// without padding, 22 characters.
const metadataPattern = /^version: (\d+)\r?\ntopic_id: ([A-Za-z0-9_-]{22})(?:\r?\n)?$/

/** `topicId`: as {@link newTopicId} makes them. */
export function encodePartitionMetadata(topicId: string): Buffer {
  if (!isTopicId(topicId)) {
    throw new InvalidArgumentError('topicId', topicId, 'must be 22 characters of a UUID, not zero')
  }
  return Buffer.from(`version: 0\ntopic_id: ${topicId}`, 'latin1')
}

/** The topic's id. Throws CorruptPartitionMetadataError. */
export function decodePartitionMetadata(bytes: Buffer, path: string): string {
  const match = metadataPattern.exec(bytes.toString('latin1', 0, metadataBytesMax))
  if (match === null) {
    throw new CorruptPartitionMetadataError(path, 'it does not hold a version and a topic id')
  }
  const [, version, topicId = ''] = match
  if (version !== '0') throw new CorruptPartitionMetadataError(path, 'its version is not 0')
  if (!isTopicId(topicId)) {
    throw new CorruptPartitionMetadataError(path, `${topicId} is not the id of a topic`)
  }
  return topicId
}

/** The topic id of a partition directory, null when it has no such file. */
export function readPartitionMetadata(fs: FileSystem, directory: string): string | null {
  const path = `${directory}/${partitionMetadataFileName}`
  const bytes = readSmallFile(fs, path, metadataBytesMax)
  return bytes === null ? null : decodePartitionMetadata(bytes, path)
}

/** Atomic and durable. To be done before the partition's first record is appended. */
export async function writePartitionMetadata(
  fs: FileSystem,
  directory: string,
  topicId: string,
): Promise<void> {
  await replaceSmallFile(
    fs,
    `${directory}/${partitionMetadataFileName}`,
    encodePartitionMetadata(topicId),
  )
}

/** A random (version 4) UUID in Kafka's notation. `randomBytes` returns that many random bytes. */
export function newTopicId(randomBytes: (count: number) => Uint8Array): string {
  const bytes = Buffer.from(randomBytes(topicIdBytes))
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  // Kafka makes no id with a leading '-', which command lines would take for an option. Another
  // first bit is another first character, as random as before in all others.
  if (bytes.toString('base64url').startsWith('-')) {
    bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0)
  }
  return bytes.toString('base64url')
}

/** Whether it is a UUID in Kafka's notation and not zero, which Kafka uses for "none". */
export function isTopicId(text: string): boolean {
  if (typeof text !== 'string') return false
  const bytes = Buffer.from(text, 'base64url')
  const isCanonical = bytes.length === topicIdBytes && bytes.toString('base64url') === text
  return isCanonical && bytes.some((byte) => byte !== 0)
}
