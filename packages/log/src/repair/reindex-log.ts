import { LogNotFoundError } from '../base/log-errors.ts'
import type { LogOptions } from '../base/log-options.ts'
import { provenLogStart } from '../format/log-start.ts'
import { findEpochsIn } from '../segments/leader-epoch-search.ts'
import { leaderEpochCheckpointFileName, parseSegmentFileName } from '../storage/file-names.ts'
import { type FileSystem, replaceSmallFile } from '../storage/file-system.ts'
import { nodeFileSystem } from '../storage/node-file-system.ts'
import { withOurErrors } from '../storage/storage-error.ts'
import { readLogFacts } from '../verify/log-facts.ts'
import { lockLog } from './repair-log.ts'
import { rebuildSegments } from './segment-rebuild.ts'

/** How derived files are made anew. */
export interface ReindexOptions {
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** How indexes are to be. @defaultValue the defaults of a log */
  readonly log?: LogOptions
  /** Whether the caller has the lock, or made the directory and told nobody. @defaultValue false */
  readonly isLocked?: boolean
}

/** What was made anew. Plain data. */
export interface ReindexReport {
  readonly directory: string
  /** Files that were not already as they should be. */
  readonly writtenFiles: readonly string[]
}

/**
 * Makes the indexes, digests and leader epochs of a closed log anew from its records; or, given
 * the path of a `.log`, the indexes and digest of that segment. Every file is replaced in one step.
 *
 * Takes the lock of the data directory, or of the log, unless told not to. Rejects with
 * LogNotFoundError, LogLockedError, and with CorruptLogError at the first batch that is not right:
 * then the log needs to be repaired, and what was made until then is right.
 */
export function reindexLog(path: string, options: ReindexOptions = {}): Promise<ReindexReport> {
  return withOurErrors(`reindexing ${path}`, () => reindex(path, options))
}

async function reindex(path: string, options: ReindexOptions): Promise<ReindexReport> {
  const fs = options.fs ?? nodeFileSystem
  const { directory, only } = targetOf(fs, path)
  const lock = options.isLocked === true ? null : await lockLog(fs, directory)
  try {
    const { facts } = readLogFacts(fs, directory)
    const { name, segments } = facts
    const wanted = segments.filter((segment) => only === null || segment.path === only)
    if (only !== null && wanted.length === 0) {
      throw new LogNotFoundError(`${only} is not a segment of a log`)
    }
    const context = { fs, directory, name, segments, log: options.log ?? {}, keepsOld: false }
    const baseOffsets = new Set(wanted.map(({ baseOffset }) => baseOffset))
    const { writtenFiles } = await rebuildSegments(context, baseOffsets)
    if (only !== null) return { directory, writtenFiles }
    const epochsPath = `${directory}/${leaderEpochCheckpointFileName}`
    const epochs = await findEpochsIn(fs, segments)
    // By the epochs that are about to be replaced: with them goes the witness of the log's start.
    if (facts.logStartOffset !== null) {
      epochs.truncateFromStart(provenLogStart(fs, directory, facts.logStartOffset))
    }
    if (epochs.isEmpty) return { directory, writtenFiles }
    await replaceSmallFile(fs, epochsPath, epochs.encode())
    return { directory, writtenFiles: [...writtenFiles, epochsPath] }
  } finally {
    lock?.release()
  }
}

function targetOf(
  fs: FileSystem,
  path: string,
): { readonly directory: string; readonly only: string | null } {
  const given = path.length > 1 ? path.replace(/\/+$/, '') : path
  const stat = fs.stat(given)
  if (stat === null) throw new LogNotFoundError(`there is nothing at ${path}`)
  if (stat.isDirectory) return { directory: given, only: null }
  const end = given.lastIndexOf('/')
  const file = parseSegmentFileName(given.slice(end + 1))
  if (file === null || file.suffix !== '' || file.kind === 'snapshot') {
    throw new LogNotFoundError(`${path} is not a segment of a log`)
  }
  const directory = end < 0 ? '.' : given.slice(0, Math.max(end, 1))
  const stem = given.slice(0, given.lastIndexOf('.'))
  return { directory, only: `${stem}.log` }
}
