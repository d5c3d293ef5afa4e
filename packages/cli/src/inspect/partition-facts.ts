import { resolve } from 'node:path'
import { type FileSystem, nodeFileSystem } from '@varve/log'
import {
  checkpointBytesMax,
  cleanShutdownFileName,
  decodeOffsetCheckpoint,
  decodePartitionMetadata,
  isSystemError,
  logStartOffsetCheckpointFileName,
  ProgressFile,
  partitionMetadataFileName,
  progressFileBytes,
  progressFileName,
  provenLogStart,
  readSmallFile,
  recoveryPointCheckpointFileName,
} from '@varve/log/files'
import { VarveError } from '@varve/record'

/** What the small files say of a partition, before its segments are looked at. */
export interface PartitionFacts {
  readonly topicId: string | null
  /** Null where no file says it: then it is the first segment's base offset. */
  readonly logStartOffset: number | null
  /** Everything below is known to be durable. */
  readonly recoveryPoint: number | null
  /** Whether the data directory was shut down cleanly, and nobody has opened it since. */
  readonly isClosedCleanly: boolean
  /** Files that could not be understood. */
  readonly problems: readonly string[]
}

export function readPartitionFacts(
  path: string,
  name: string,
  fs: FileSystem = nodeFileSystem,
): PartitionFacts {
  const problems: string[] = []
  const parent = resolve(path, '..')
  const tryRead = <Value>(read: () => Value): Value | null => {
    try {
      return read()
    } catch (error) {
      const isDamage = error instanceof VarveError || isSystemError(error, 'EFBIG')
      if (!isDamage || !(error instanceof Error)) throw error
      problems.push(error.message)
      return null
    }
  }
  const checkpoint = (fileName: string): number | null =>
    tryRead(() => {
      const filePath = `${parent}/${fileName}`
      const bytes = readSmallFile(fs, filePath, checkpointBytesMax)
      return bytes === null ? null : (decodeOffsetCheckpoint(bytes, filePath).get(name) ?? null)
    })
  const topicId = tryRead(() => {
    const filePath = `${path}/${partitionMetadataFileName}`
    const bytes = readSmallFile(fs, filePath, smallFileBytesMax)
    return bytes === null ? null : decodePartitionMetadata(bytes, filePath)
  })
  // Where neither of its slots is valid it says nothing, as the engine has it.
  const progress = tryRead(() => {
    const bytes = readSmallFile(fs, `${path}/${progressFileName}`, smallFileBytesMax)
    return bytes === null ? null : ProgressFile.read(bytes.subarray(0, progressFileBytes))
  })
  const claimed = checkpoint(logStartOffsetCheckpointFileName)
  const proven = claimed === null ? null : provenLogStart(fs, path, claimed)
  return {
    topicId,
    logStartOffset: largest(proven, progress?.logStartOffset ?? null),
    recoveryPoint: largest(
      checkpoint(recoveryPointCheckpointFileName),
      progress?.recoveryPoint ?? null,
    ),
    isClosedCleanly: fs.stat(`${parent}/${cleanShutdownFileName}`) !== null,
    problems,
  }
}

/** These files have less than a KiB; one that is much larger is refused for what it is. */
const smallFileBytesMax = 1024 * 1024

function largest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.max(a, b)
}
