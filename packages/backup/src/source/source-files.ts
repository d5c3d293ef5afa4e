import { type FileSystem, StorageError } from '@varve/log'
import {
  decodePartitionMetadata,
  leaderEpochCheckpointFileName,
  metaPropertiesFileName,
  parseSegmentFileName,
  partitionMetadataFileName,
  readSmallFile,
} from '@varve/log/files'
import { crc32c, type Offset, VarveError } from '@varve/record'
import { metadataLogFilePattern, type StoredFileContent } from '../format/partition-list.ts'

/**
 * Of a data directory: what says which topics there are (ours) and which cluster it is (Kafka's).
 * Checkpoints are left out: they say what a disk has, and are made anew for the new one.
 */
const directoryFileNames = ['varve-catalogue', metaPropertiesFileName, 'bootstrap.checkpoint']

/** Whether it is one that a backup has of a data directory. */
export function isDirectoryFile(name: string): boolean {
  return directoryFileNames.includes(name)
}

const smallFileBytesMax = 64 * 2 ** 20

/** Says of the system's errors what was being done. Rejects with StorageError. */
export async function withOurErrors<Result>(
  doing: string,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof VarveError || !isFileProblem(error)) throw error
    throw new StorageError(doing, error)
  }
}

/** Whether an error is of the file system, or of what is in a file. */
export function isFileProblem(error: unknown): error is Error {
  return error instanceof VarveError || (error instanceof Error && 'syscall' in error)
}

/** The small files of a data directory that a backup keeps. */
export function directoryFiles(fs: FileSystem, directory: string): readonly StoredFileContent[] {
  return readFiles(fs, directory, directoryFileNames)
}

/** The small files of a partition that a backup keeps: those that no segment says. */
export function partitionFiles(
  fs: FileSystem,
  directory: string,
  endOffset: Offset,
): readonly StoredFileContent[] {
  const there = fs.list(directory)
  const ofMetadata = there.filter((name) => metadataLogFilePattern.test(name))
  const names = [partitionMetadataFileName, leaderEpochCheckpointFileName, ...ofMetadata.sort()]
  const snapshots = there
    .filter((name) => {
      const parsed = parseSegmentFileName(name)
      return parsed?.kind === 'snapshot' && parsed.suffix === '' && parsed.baseOffset <= endOffset
    })
    .sort()
  // The newest may be half-written by a process that was killed; the one before it is not.
  return readFiles(fs, directory, [...names, ...snapshots.slice(-2)])
}

/** Null for a partition without one. Throws CorruptPartitionMetadataError. */
export function topicIdOf(files: readonly StoredFileContent[], directory: string): string | null {
  const file = files.find(({ name }) => name === partitionMetadataFileName)
  if (file === undefined) return null
  return decodePartitionMetadata(file.bytes, `${directory}/${file.name}`)
}

/** Changes when one of them does. */
export function filesPrint(files: readonly StoredFileContent[]): readonly string[] {
  return files.map(({ name, bytes }) => `${name} ${crc32c(bytes)} ${bytes.length}`)
}

function readFiles(
  fs: FileSystem,
  directory: string,
  names: readonly string[],
): readonly StoredFileContent[] {
  return names.flatMap((name) => {
    const bytes = readSmallFile(fs, `${directory}/${name}`, smallFileBytesMax)
    return bytes === null ? [] : [{ name, bytes }]
  })
}
