import { basename, resolve } from 'node:path'
import { type FileSystem, LogNotFoundError, nodeFileSystem } from '@varve/log'
import {
  cleanShutdownFileName,
  metaPropertiesFileName,
  type PartitionDirectoryName,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  recoveryPointCheckpointFileName,
  refuseUnfinishedRestore,
} from '@varve/log/files'

/** What a path that a user named is, told by looking. */
export type Target = FileTarget | PartitionTarget | DataTarget

export interface FileTarget {
  readonly kind: 'file'
  readonly path: string
  readonly name: string
  readonly sizeBytes: number
}

/** A directory with the files of one log. */
export interface PartitionTarget {
  readonly kind: 'partition'
  readonly path: string
  readonly name: string
}

/** A directory with directories of logs. */
export interface DataTarget {
  readonly kind: 'data'
  readonly path: string
  readonly partitions: readonly PartitionTarget[]
}

/**
 * Finds out what is at `path`. A directory is a partition when it holds segment files or is named
 * as one, and a data directory when it holds directories of partitions.
 *
 * @throws {LogNotFoundError} when it is nothing of the kind.
 * @throws {UnfinishedRestoreError} where a restore was interrupted as it took its place.
 */
export function resolveTarget(path: string, fs: FileSystem = nodeFileSystem): Target {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path
  refuseUnfinishedRestore(fs, trimmed)
  const stat = fs.stat(trimmed)
  if (stat === null) throw new LogNotFoundError(`there is no ${path}`)
  // Of `.` too, the name matters: checkpoint files know a partition by it.
  const name = basename(resolve(trimmed))
  if (!stat.isDirectory) {
    return { kind: 'file', path: trimmed, name, sizeBytes: stat.sizeBytes }
  }
  const names = fs.list(trimmed)
  if (names.some((it) => parseSegmentFileName(it) !== null)) {
    return { kind: 'partition', path: trimmed, name }
  }
  const partitions = livePartitions(fs, trimmed, names)
  if (partitions.length > 0 || names.some((it) => dataFileNames.has(it))) {
    return { kind: 'data', path: trimmed, partitions }
  }
  if (parsePartitionDirectoryName(name) !== null) return { kind: 'partition', path: trimmed, name }
  throw new LogNotFoundError(
    `${path} holds no logs: neither segment files nor directories named <topic>-<partition>`,
  )
}

/** A directory with one of these is a data directory, even without a log in it. */
const dataFileNames: ReadonlySet<string> = new Set([
  cleanShutdownFileName,
  metaPropertiesFileName,
  recoveryPointCheckpointFileName,
])

/** In the order of topics, and of numbers within a topic. */
function livePartitions(
  fs: FileSystem,
  directory: string,
  names: readonly string[],
): readonly PartitionTarget[] {
  const found: Array<{ name: string; parsed: PartitionDirectoryName }> = []
  for (const name of names) {
    const parsed = parsePartitionDirectoryName(name)
    if (parsed?.state !== 'live') continue
    if (fs.stat(`${directory}/${name}`)?.isDirectory === true) found.push({ name, parsed })
  }
  found.sort(({ parsed: a }, { parsed: b }) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  )
  return found.map(({ name }) => ({ kind: 'partition', path: `${directory}/${name}`, name }))
}
