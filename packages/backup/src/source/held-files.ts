import { randomBytes } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'
import type { FileSystem } from '@varve/log'
import { isSystemError, removeTree } from '@varve/log/files'
import { isFileProblem } from './source-files.ts'

/** Where what backing up keeps beside a data directory lies: never within, a broker looks there. */
export function workDirectoryOf(dataDirectory: string): string {
  const path = resolve(dataDirectory)
  const parent = dirname(path)
  return `${parent === '/' ? '' : parent}/.${basename(path)}.varve-backup`
}

/** Errors of file systems that have no links, or not from here to there. */
const noLinkCodes = [
  ...['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EROFS', 'EACCES', 'ENOTDIR'],
  // A full disk is no reason to go without a backup.
  ...['EMLINK', 'ENOSPC', 'EDQUOT', 'ENAMETOOLONG', 'EIO'],
]

/** The directories of this process: another one may have had its number before. */
const ownDirectories = new Set<string>()

/**
 * Second names (hard links) of a source's files, in a directory of their own, so that they stay
 * when the source deletes or replaces them. A sealed segment never changes; of one that grows, what
 * was there does not.
 */
export class HeldFiles {
  readonly #fs: FileSystem
  readonly #root: string
  readonly #directory: string
  readonly #made = new Set<string>()
  #count = 0
  #canLink = true

  constructor(fs: FileSystem, workDirectory: string, processId: number = process.pid) {
    this.#fs = fs
    this.#root = `${workDirectory}/snapshots`
    this.#directory = `${this.#root}/${processId}-${randomBytes(6).toString('hex')}`
    ownDirectories.add(this.#directory)
  }

  /** Whether links can be made; known after the first. */
  get canLink(): boolean {
    return this.#canLink
  }

  /**
   * A name under which the file stays, or its own where no link can be made. Throws ENOENT when it
   * is not there any more.
   */
  hold(path: string, log: string): string {
    if (!this.#canLink) return path
    const directory = `${this.#directory}/${log}`
    const held = `${directory}/${this.#count++}.log`
    try {
      this.#make(directory)
      this.#fs.link(path, held)
      return held
    } catch (error) {
      // It is the place for links that is gone, or the file itself.
      const isPlaceGone = isSystemError(error, 'ENOENT') && this.#fs.stat(path) !== null
      if (!isPlaceGone && !isSystemError(error, ...noLinkCodes)) throw error
      this.#canLink = false
      return path
    }
  }

  /** Lets all of them go. */
  async release(): Promise<void> {
    ownDirectories.delete(this.#directory)
    if (this.#fs.stat(this.#directory) !== null) await removeTree(this.#fs, this.#directory)
    for (const directory of [this.#root, dirname(this.#root)]) {
      // Somebody else's may be in it.
      await this.#fs.removeDirectory(directory).catch(() => undefined)
    }
  }

  /** Removes what processes that are gone held, as far as that is possible now. */
  async releaseAbandoned(isAlive: (processId: number) => boolean = isProcess): Promise<void> {
    await this.#releaseAbandoned(isAlive).catch((error: unknown) => {
      if (!isFileProblem(error)) throw error
    })
  }

  async #releaseAbandoned(isAlive: (processId: number) => boolean): Promise<void> {
    if (this.#fs.stat(this.#root)?.isDirectory !== true) return
    for (const name of this.#fs.list(this.#root)) {
      const directory = `${this.#root}/${name}`
      const processId = /^(\d+)-[0-9a-f]{12}$/.exec(name)?.[1]
      if (processId === undefined || ownDirectories.has(directory)) continue
      if (Number(processId) !== process.pid && isAlive(Number(processId))) continue
      if (this.#fs.stat(directory)?.isDirectory === true) await removeTree(this.#fs, directory)
    }
  }

  #make(directory: string): void {
    if (this.#made.has(directory) || this.#fs.stat(directory)?.isDirectory === true) {
      this.#made.add(directory)
      return
    }
    this.#make(dirname(directory))
    try {
      this.#fs.makeDirectory(directory)
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error
    }
    this.#made.add(directory)
  }
}

function isProcess(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // There is one, of somebody else.
    return isSystemError(error, 'EPERM')
  }
}
