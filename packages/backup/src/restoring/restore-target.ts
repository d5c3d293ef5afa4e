import { dirname } from 'node:path'
import { type FileLock, type FileSystem, LogLockedError } from '@varve/log'
import { DirectoryTarget } from '../target/directory-target.ts'
import type { Target } from '../target/target.ts'
import { RestoreRefusedError } from './restore-errors.ts'
import { finishSwap, lockFileName, replacedOf, restorePlaceOf, stagingOf } from './staged-swap.ts'

/**
 * The place of a data directory that is to be restored, and the one beside it where that is put
 * together. Nobody else's until it is released.
 */
export class RestoreTarget {
  /** Absolute, and no symbolic link. */
  readonly path: string
  readonly staging: string
  readonly #fs: FileSystem
  /** Of what is there already. */
  #lock: FileLock | null = null
  #stagingLock: FileLock | null = null

  private constructor(fs: FileSystem, path: string) {
    this.#fs = fs
    this.path = path
    this.staging = stagingOf(path)
  }

  /**
   * A dry run makes nothing, and locks only where there is a file to lock. Rejects with
   * RestoreRefusedError and LogLockedError.
   */
  static async claim(
    fs: FileSystem,
    to: string,
    { isInPlace, isDryRun }: { readonly isInPlace: boolean; readonly isDryRun: boolean },
  ): Promise<RestoreTarget> {
    const target = new RestoreTarget(fs, restorePlaceOf(fs, to))
    if (dirname(target.path) === target.path) {
      throw new RestoreRefusedError(`${to} cannot be replaced`)
    }
    try {
      if (!isDryRun) await finishSwap(fs, target.path)
      await target.#lockPlace(isInPlace, isDryRun)
      if (!isDryRun) await target.lockStaging()
      return target
    } catch (error) {
      target.release()
      throw error
    }
  }

  /** The directory must be free, or given to be replaced and closed. */
  async #lockPlace(isInPlace: boolean, isDryRun: boolean): Promise<void> {
    const fs = this.#fs
    const { path } = this
    const stat = fs.stat(path)
    if (stat === null) return
    if (!stat.isDirectory) throw new RestoreRefusedError(`${path} is a file`)
    if (fs.list(path).length === 0) return
    if (!isInPlace) {
      throw new RestoreRefusedError(
        `${path} is not empty`,
        'restore into a new directory, or in place (--in-place): what is there is kept aside',
      )
    }
    const replaced = replacedOf(path)
    if (fs.stat(replaced) !== null) {
      throw new RestoreRefusedError(
        `${replaced} is there, from a restore before`,
        'undo that restore, or remove the directory when it is not needed any more',
      )
    }
    const lockPath = `${path}/${lockFileName}`
    if (isDryRun && fs.stat(lockPath) === null) return
    this.#lock = await this.#locked(lockPath, path)
  }

  /** Nobody may have made something there since. Throws RestoreRefusedError. */
  confirm(): void {
    const { path } = this
    const stat = this.#fs.stat(path)
    if (this.#lock !== null || stat === null) return
    if (stat.isDirectory && this.#fs.list(path).length === 0) return
    throw new RestoreRefusedError(
      `${path} was made while it was being restored`,
      'what was restored waits beside it: move that away and restore again',
    )
  }

  async lockStaging(): Promise<void> {
    await this.#makeDirectory(this.staging)
    this.#stagingLock = await this.#locked(`${this.staging}/${lockFileName}`, this.staging)
  }

  /** For somebody who opens the staged directory as a data directory. */
  unlockStaging(): void {
    this.#stagingLock?.release()
    this.#stagingLock = null
  }

  release(): void {
    this.unlockStaging()
    this.#lock?.release()
    this.#lock = null
  }

  async #locked(lockPath: string, directory: string): Promise<FileLock> {
    const lock = await this.#fs.lock(lockPath)
    if (lock === null) throw new LogLockedError(directory, this.#fs.lockHolder?.(lockPath) ?? null)
    return lock
  }

  async #makeDirectory(path: string): Promise<void> {
    if (this.#fs.stat(path)?.isDirectory === true) return
    const parent = dirname(path)
    if (parent !== path) await this.#makeDirectory(parent)
    this.#fs.makeDirectory(path)
    await this.#fs.syncDirectory(parent)
  }
}

/** Throws RestoreRefusedError where a repository would be set aside, or get a directory in it. */
export function refuseRepository(fs: FileSystem, repository: Target, to: string): void {
  if (!(repository instanceof DirectoryTarget)) return
  const [stored, place] = [restorePlaceOf(fs, repository.name), restorePlaceOf(fs, to)]
  if (!isWithin(stored, place) && !isWithin(place, stored)) return
  const where = isWithin(stored, place) ? 'holds the repository' : 'is in the repository'
  throw new RestoreRefusedError(
    `${to} ${where} that is restored from`,
    'restore into another directory, or move the repository away first',
  )
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)
}
