import type { LogCheckpoints } from '../base/log-checkpoints.ts'
import { LogLockedError } from '../base/log-errors.ts'
import { removeCleanShutdown } from '../format/clean-shutdown.ts'
import { OwnCheckpoints } from '../format/own-checkpoints.ts'
import { lockFileName } from '../storage/file-names.ts'
import type { FileLock, FileSystem } from '../storage/file-system.ts'

/**
 * A log that was opened on its own last (`openLog`) and is now in a data directory, which takes
 * over what it kept for itself: the offsets of its checkpoints, and what its own marker of a clean
 * shutdown says; that of the data directory says nothing of it.
 */
export class LogAdoption {
  readonly isClean: boolean
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #lock: FileLock
  readonly #own: OwnCheckpoints

  private constructor(fs: FileSystem, directory: string, lock: FileLock, isClean: boolean) {
    this.#fs = fs
    this.#directory = directory
    this.#lock = lock
    this.#own = new OwnCheckpoints(fs, directory)
    this.isClean = isClean
  }

  /**
   * Null for a log that is the data directory's own. Rejects with LogLockedError when somebody has
   * it open on its own. Every adoption is finished or given up.
   */
  static async begin(fs: FileSystem, directory: string): Promise<LogAdoption | null> {
    const lockPath = `${directory}/${lockFileName}`
    if (fs.stat(lockPath) === null) return null
    const lock = await fs.lock(lockPath)
    if (lock === null) throw new LogLockedError(directory, fs.lockHolder?.(lockPath) ?? null)
    try {
      return new LogAdoption(fs, directory, lock, await removeCleanShutdown(fs, directory))
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** The data directory's checkpoints with what the log's own say beyond them. */
  over(checkpoints: LogCheckpoints): LogCheckpoints {
    const { recoveryPoint, logStartOffset } = this.#own
    return {
      recoveryPoint: larger(checkpoints.recoveryPoint, recoveryPoint),
      logStartOffset: larger(checkpoints.logStartOffset, logStartOffset),
      logStartPath: checkpoints.logStartPath,
      saveLogStartOffset: (offset) => checkpoints.saveLogStartOffset(offset),
      closed: (offset) => checkpoints.closed(offset),
    }
  }

  /**
   * The data directory has made the offsets durable. The lock goes last: while it is there a crash
   * leads here again.
   */
  async finish(): Promise<void> {
    try {
      await this.#own.remove()
      await this.#fs.syncDirectory(this.#directory)
      await this.#fs.remove(`${this.#directory}/${lockFileName}`)
      await this.#fs.syncDirectory(this.#directory)
    } finally {
      this.#lock.release()
    }
  }

  giveUp(): void {
    this.#lock.release()
  }
}

function larger(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.max(one, other)
}
