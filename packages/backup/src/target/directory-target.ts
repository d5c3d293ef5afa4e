import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { type File, type FileSystem, nodeFileSystem } from '@varve/log'
import { isSystemError } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'
import { TargetError } from '../base/backup-errors.ts'
import { isTargetKey, type PutOptions, type StoredFile, type Target } from './target.ts'

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
  readonly #made = new Set<string>()

  constructor(path: string, { fs = nodeFileSystem }: DirectoryTargetOptions = {}) {
    this.#path = path.length > 1 ? path.replace(/\/+$/, '') : path
    this.#fs = fs
    this.name = this.#path
  }

  put(key: string, bytes: Uint8Array, { mode = 'new' }: PutOptions = {}): Promise<boolean> {
    const path = this.#pathOf(key)
    return this.#told(`writing ${key}`, async () => {
      if (mode === 'new' && this.#fs.stat(path) !== null) return false
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

  get(key: string): Promise<Buffer | null> {
    const path = this.#pathOf(key)
    return this.#told(`reading ${key}`, async () => {
      const file = this.#openIfThere(path)
      if (file === null) return null
      try {
        const bytes = Buffer.allocUnsafeSlow(file.sizeBytes())
        const count = await file.read(bytes, 0)
        return count === bytes.length ? bytes : bytes.subarray(0, count)
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
    const names = await this.#told(`listing ${directory}`, async () =>
      this.#statOf(path)?.isDirectory === true ? [...this.#fs.list(path)] : [],
    )
    // As a bucket sorts keys: a directory's name with the slash that follows it.
    const entries = names
      .filter((name) => directory !== '' || name !== temporaryDirectory)
      .map((name) => ({ name, stat: this.#statOf(`${path}/${name}`) }))
      .map(({ name, stat }) => ({ name, stat, sort: stat?.isDirectory ? `${name}/` : name }))
      .sort((a, b) => (a.sort < b.sort ? -1 : 1))
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
    if (mode === 'replace') {
      this.#fs.rename(temporary, path)
      await this.#fs.syncDirectory(dirname(path))
      return true
    }
    try {
      // A second name is given only where there is none: renaming would replace.
      this.#fs.link(temporary, path)
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) {
        await this.#fs.remove(temporary)
        return false
      }
      if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) throw error
      // A file system without links (FAT): the check above has to do.
      this.#fs.rename(temporary, path)
      await this.#fs.syncDirectory(dirname(path))
      return true
    }
    await this.#fs.syncDirectory(dirname(path))
    await this.#fs.remove(temporary)
    return true
  }

  async #makeDirectory(path: string): Promise<void> {
    if (this.#made.has(path)) return
    if (this.#statOf(path)?.isDirectory !== true) {
      if (path !== dirname(path)) await this.#makeDirectory(dirname(path))
      try {
        this.#fs.makeDirectory(path)
      } catch (error) {
        if (!isSystemError(error, 'EEXIST')) throw error
      }
      await this.#fs.syncDirectory(dirname(path))
    }
    this.#made.add(path)
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
