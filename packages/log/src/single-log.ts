import { basename } from 'node:path'
import { InvalidArgumentError } from '@varve/record'
import { type Clock, systemClock } from './base/clock.ts'
import type { LogContext } from './base/log-context.ts'
import { LogLockedError } from './base/log-errors.ts'
import { type LogOptions, resolveLogOptions } from './base/log-options.ts'
import { randomFraction } from './base/random-fraction.ts'
import { removeCleanShutdown, writeCleanShutdown } from './format/clean-shutdown.ts'
import { OwnCheckpoints } from './format/own-checkpoints.ts'
import { Log } from './log.ts'
import { loadLog } from './recovery/log-loader.ts'
import { openingError } from './recovery/opening-error.ts'
import { makeDirectories, refuseDataDirectory } from './storage/directories.ts'
import { lockFileName } from './storage/file-names.ts'
import type { FileLock, FileSystem } from './storage/file-system.ts'
import { nodeFileSystem } from './storage/node-file-system.ts'
import { OpenFiles } from './storage/open-files.ts'
import { checkReadCacheBytes } from './storage/read-cache.ts'

/** How a log alone is opened. */
export interface OpenLogOptions {
  /** The log's settings. @defaultValue {} */
  readonly log?: LogOptions
  /** Files kept open, about. @defaultValue 64 */
  readonly openFilesMax?: number
  /** As that of a LogDirectory. @defaultValue 16 MiB */
  readonly readCacheBytes?: number
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue the system's clock */
  readonly clock?: Clock
  /** 0 to 1. @defaultValue random numbers of the operating system */
  readonly random?: () => number
}

/**
 * Opens one log on its own, in a directory made when it is not there, recovering what a crash left.
 * Its lock, its checkpoints and the marker of a clean shutdown, which many logs share in a data
 * directory, lie in that directory, of any name. Closing the log leaves the marker.
 *
 * Moved into a data directory under a name like `orders-0`, it is taken over by the next
 * `LogDirectory` that is opened there.
 *
 * Rejects with InvalidArgumentError for a directory within a data directory, with LogLockedError
 * when somebody has it open for writing, with CorruptLogError and LostWriteError as recovery does.
 */
export async function openLog(path: string, options: OpenLogOptions = {}): Promise<Log> {
  const { openFilesMax = 64, readCacheBytes, fs = nodeFileSystem } = options
  resolveLogOptions(options.log)
  if (!Number.isSafeInteger(openFilesMax) || openFilesMax < 1) {
    throw new InvalidArgumentError('openFilesMax', openFilesMax, 'must be a positive integer')
  }
  checkReadCacheBytes(readCacheBytes)
  const directory = path.length > 1 ? path.replace(/\/+$/, '') : path
  try {
    refuseDataDirectory(fs, directory)
    await makeDirectories(fs, directory)
    const lockPath = `${directory}/${lockFileName}`
    const lock = await fs.lock(lockPath)
    if (lock === null) throw new LogLockedError(directory, fs.lockHolder?.(lockPath) ?? null)
    const files = new OpenFiles(fs, openFilesMax, readCacheBytes)
    return await openLocked(directory, lock, fs, files, options)
  } catch (error) {
    throw openingError(basename(directory), error)
  }
}

async function openLocked(
  directory: string,
  lock: FileLock,
  fs: FileSystem,
  files: OpenFiles,
  options: OpenLogOptions,
): Promise<Log> {
  try {
    const context: LogContext = {
      name: basename(directory),
      directory,
      fs,
      files,
      clock: options.clock ?? systemClock,
      random: options.random ?? randomFraction,
      options: resolveLogOptions(options.log),
      checkpoints: new OwnCheckpoints(fs, directory),
    }
    const isClean = await removeCleanShutdown(fs, directory)
    const { loaded, report } = await loadLog(context, isClean)
    const log: Log = new Log(loaded, report, async () => {
      try {
        if (!log.isFailed) await writeCleanShutdown(fs, directory)
      } finally {
        files.close()
        lock.release()
      }
    })
    return log
  } catch (error) {
    files.close()
    lock.release()
    throw error
  }
}
