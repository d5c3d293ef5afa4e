import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { type File, type FileSystem, nodeFileSystem } from '@varve/log'
import { isSystemError } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'
import { TargetError } from '../base/backup-errors.ts'
import {
  type GetOptions,
  isTargetKey,
  type PutOptions,
  type StoredFile,
  type Target,
} from './target.ts'

export interface DirectoryTargetOptions {
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
}

/** Not part of any key: files here are half-written, and nobody's after a crash. */
const temporaryDirectory = 'tmp'

/**
 * A repository in a directory, of a local disk or a mounted one. Files are written beside their
 * place, flushed, and given their name in one step.
 */
export class DirectoryTarget implements Target {
  readonly name: string
  readonly isCreateOnlyAtomic = true
  readonly #path: string
  readonly #fs: FileSystem
  /** Directories that are there for good, or are about to be. */
  readonly #made = new Map<string, Promise<void>>()

  constructor(path: string, { fs = nodeFileSystem }: DirectoryTargetOptions = {}) {
    this.#path = path.length > 1 ? path.replace(/\/+$/, '') : path
    this.#fs = fs
    this.name = this.#path
  }

  put(key: string, bytes: Uint8Array, { mode = 'new' }: PutOptions = {}): Promise<boolean> {
    const path = this.#pathOf(key)
    return this.#told(`writing ${key}`, async () => {
      if (mode === 'new' && this.#statOf(path) !== null) {
        // Whoever put it there may have been killed before its name was durable.
        await this.#keep(dirname(path))
        return false
      }
      await this.#makeDirectory(dirname(path))
      await this.#makeDirectory(`${this.#path}/${temporaryDirectory}`)
      const name = randomBytes(12).toString('hex')
      const temporary = `${this.#path}/${temporaryDirectory}/${name}`
      try {
        await this.#write(temporary, bytes)
        return await this.#place(temporary, path, mode)
      } catch (error) {
        await this.#fs.remove(temporary).catch(() => undefined)
        throw error
      }
    })
  }

  get(key: string, { memory }: GetOptions = {}): Promise<Buffer | null> {
    const path = this.#pathOf(key)
    return this.#told(`reading ${key}`, async () => {
      if (this.#statOf(path)?.isDirectory !== false) return null
      const file = this.#openIfThere(path)
      if (file === null) return null
      try {
        const sizeBytes = file.sizeBytes()
        const bytes = memory?.(sizeBytes) ?? Buffer.allocUnsafeSlow(sizeBytes)
        const count = await file.read(bytes, 0)
        return count === bytes.length ? bytes : bytes.subarray(0, count)
      } catch (error) {
        if (isSystemError(error, 'EISDIR')) return null
        throw error
      } finally {
        file.close()
      }
    })
  }

  stat(key: string): Promise<StoredFile | null> {
    const path = this.#pathOf(key)
    return this.#told(`looking at ${key}`, async () => {
      const stat = this.#statOf(path)
      if (stat === null || stat.isDirectory) return null
      return { key, sizeBytes: stat.sizeBytes, modifiedMs: stat.modifiedMs }
    })
  }

  async *list(prefix: string): AsyncIterable<StoredFile> {
    if (prefix !== '' && !isTargetKey(prefix.replace(/\/$/, ''))) refuseKey(prefix)
    const directory = prefix.replace(/\/$/, '')
    if (prefix === '' || prefix.endsWith('/')) yield* this.#listIn(directory)
  }

  remove(key: string): Promise<void> {
    const path = this.#pathOf(key)
    return this.#told(`removing ${key}`, async () => {
      try {
        await this.#fs.remove(path)
      } catch (error) {
        if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return
        throw error
      }
      await this.#fs.syncDirectory(dirname(path))
    })
  }

  /** Makes durable all that is seen under a prefix: somebody may have been killed while writing. */
  async settle(prefix: string): Promise<void> {
    const path = `${this.#path}/${prefix.replace(/\/$/, '')}`
    await this.#told(`flushing ${prefix}`, () => this.#settleIn(path))
  }

  async #settleIn(path: string): Promise<void> {
    if (this.#statOf(path)?.isDirectory !== true) return
    await this.#keep(path)
    for (const name of this.#fs.list(path)) await this.#settleIn(`${path}/${name}`)
  }

  /** Removes what a crash left half-written. Nobody may be writing meanwhile. */
  async removeTemporaryFiles(): Promise<void> {
    const directory = `${this.#path}/${temporaryDirectory}`
    await this.#told('removing temporary files', async () => {
      if (this.#statOf(directory)?.isDirectory !== true) return
      for (const name of this.#fs.list(directory)) await this.#fs.remove(`${directory}/${name}`)
    })
  }

  async close(): Promise<void> {}

  async *#listIn(directory: string): AsyncIterable<StoredFile> {
    const path = directory === '' ? this.#path : `${this.#path}/${directory}`
    const entries = await this.#told(`listing ${directory}`, async () => {
      const names = this.#statOf(path)?.isDirectory === true ? this.#fs.list(path) : []
      return (
        names
          .filter((name) => directory !== '' || name !== temporaryDirectory)
          .map((name) => ({ name, stat: this.#statOf(`${path}/${name}`) }))
          .map(({ name, stat }) => ({ name, stat, sort: stat?.isDirectory ? `${name}/` : name }))
          // As a bucket sorts keys: a directory's name with the slash that follows it.
          .sort((a, b) => (a.sort < b.sort ? -1 : 1))
      )
    })
    for (const { name, stat } of entries) {
      const key = directory === '' ? name : `${directory}/${name}`
      if (stat === null) continue
      if (stat.isDirectory) yield* this.#listIn(key)
      else yield { key, sizeBytes: stat.sizeBytes, modifiedMs: stat.modifiedMs }
    }
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const file = this.#fs.open(path, 'create')
    try {
      let written = 0
      while (written < bytes.length) {
        const count = await file.write(bytes.subarray(written), written)
        if (count === 0) throw Object.assign(new Error('no progress'), { code: 'EIO' })
        written += count
      }
      await file.datasync()
    } finally {
      file.close()
    }
  }

  async #place(temporary: string, path: string, mode: 'new' | 'replace'): Promise<boolean> {
    const directory = dirname(path)
    if (mode === 'replace' || !this.#linkIsMade(temporary, path)) {
      if (mode === 'new' && this.#statOf(path) !== null) {
        await this.#fs.remove(temporary)
        await this.#keep(directory)
        return false
      }
      this.#fs.rename(temporary, path)
      await this.#fs.syncDirectory(directory)
      return true
    }
    try {
      await this.#fs.syncDirectory(directory)
    } catch (error) {
      // Its name may never become durable; nobody shall count on it.
      await this.#fs.remove(path).catch(() => undefined)
      throw error
    }
    // It is there, whatever becomes of its first name.
    await this.#fs.remove(temporary).catch(() => undefined)
    return true
  }

  /**
   * A second name is given only where there is none, which renaming does not. False where there is
   * one, or the file system knows no links (FAT): then the caller looks for itself.
   */
  #linkIsMade(temporary: string, path: string): boolean {
    try {
      this.#fs.link(temporary, path)
      return true
    } catch (error) {
      if (isSystemError(error, 'EEXIST', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) return false
      throw error
    }
  }

  /** Makes durable what is seen in a directory, and the directory itself. */
  async #keep(directory: string): Promise<void> {
    await this.#makeDirectory(directory)
    await this.#fs.syncDirectory(directory)
  }

  #makeDirectory(path: string): Promise<void> {
    const known = this.#made.get(path)
    if (known !== undefined) return known
    const made = this.#makeDirectoryDurably(path).catch((error: unknown) => {
      this.#made.delete(path)
      throw error
    })
    this.#made.set(path, made)
    return made
  }

  /** One that is there may have been made a moment ago, by somebody who was killed then. */
  async #makeDirectoryDurably(path: string): Promise<void> {
    const parent = dirname(path)
    if (path === parent) return
    await this.#makeDirectory(parent)
    const isOwn = this.#statOf(path)?.isDirectory !== true && this.#directoryIsMade(path)
    try {
      await this.#fs.syncDirectory(parent)
    } catch (error) {
      // Above the repository there are directories that are none of ours.
      if (!isOwn && isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) return
      if (isOwn) await this.#fs.removeDirectory(path).catch(() => undefined)
      throw error
    }
  }

  /** False when somebody else was faster. */
  #directoryIsMade(path: string): boolean {
    try {
      this.#fs.makeDirectory(path)
      return true
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return false
      throw error
    }
  }

  #statOf(path: string): ReturnType<FileSystem['stat']> {
    try {
      return this.#fs.stat(path)
    } catch (error) {
      if (isSystemError(error, 'ENOTDIR')) return null
      throw error
    }
  }

  #openIfThere(path: string): File | null {
    try {
      return this.#fs.open(path, 'read')
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null
      throw error
    }
  }

  #pathOf(key: string): string {
    if (!isTargetKey(key)) refuseKey(key)
    return `${this.#path}/${key}`
  }

  async #told<Result>(doing: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      throw error instanceof TargetError
        ? error
        : new TargetError(`${doing} in ${this.name}`, error)
    }
  }
}

function refuseKey(key: string): never {
  throw new InvalidArgumentError('key', key, 'is not a path within a repository')
}
