import assert from 'node:assert/strict'
import fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import { lockFile } from './directory-lock.ts'
import {
  type File,
  type FileLock,
  type FileStat,
  type FileSystem,
  type FileWatch,
  isSystemError,
  type OpenMode,
} from './file-system.ts'
import { lockHolder } from './lock-holder.ts'

/**
 * The machine's own file system. The asynchronous methods wrap Node's callback functions by hand:
 * the ready-made promises (`fs.promises`) take twice as long per call.
 */
export const nodeFileSystem: FileSystem = {
  open: (path: string, mode: OpenMode): File => {
    return new NodeFile(path, fs.openSync(path, openFlags[mode], 0o666))
  },
  list: (directory: string): readonly string[] => fs.readdirSync(directory),
  eachName,
  stat: statPath,
  resolveLinks,
  makeDirectory: (path: string): void => fs.mkdirSync(path),
  rename: (from: string, to: string): void => fs.renameSync(from, to),
  link: (existing: string, added: string): void => fs.linkSync(existing, added),
  setModifiedTime: (path: string, timeMs: number): void => {
    fs.utimesSync(path, timeMs / 1000, timeMs / 1000)
  },
  remove: (path: string): Promise<void> => settled((done) => fs.unlink(path, done)),
  removeDirectory: (path: string): Promise<void> => settled((done) => fs.rmdir(path, done)),
  syncDirectory,
  lock: (path: string): Promise<FileLock | null> => lockFile(path),
  lockHolder,
  watch: watchFile,
  freeBytes: (path) => statFileSystem(path, ({ bavail, bsize }) => bavail * bsize),
  totalBytes: (path) => statFileSystem(path, ({ blocks, bsize }) => blocks * bsize),
  // Elsewhere these counts are zero, or of other things.
  ...(process.platform === 'linux' && { waits: countWaits }),
}

const openFlags: Readonly<Record<OpenMode, string>> = {
  read: 'r',
  write: 'r+',
  create: 'wx+',
  replace: 'w+',
}

/** Where it is counted it is never 0: a starting Node.js waits for its threads. */
function countWaits(): number | null {
  const { voluntaryContextSwitches } = process.resourceUsage()
  return voluntaryContextSwitches === 0 ? null : voluntaryContextSwitches
}

/** Not with `throwIfNoEntry`, which from Node 22 on also hides a file in a directory's place. */
function statPath(path: string): FileStat | null {
  let stat: fs.Stats
  try {
    stat = fs.statSync(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null
    throw error
  }
  return {
    fileId: stat.ino,
    isDirectory: stat.isDirectory(),
    sizeBytes: stat.size,
    modifiedMs: stat.mtimeMs,
  }
}

/** As many as Linux follows. */
const linksMax = 40

/** Of the last part of a path only: so that is still beside what it is beside. */
function resolveLinks(path: string): string {
  let found = path
  for (let links = 0; links < linksMax; links++) {
    let named: string
    try {
      named = fs.readlinkSync(found)
    } catch (error) {
      // It is no link, nothing is there, or there is a file where a directory should be.
      if (isSystemError(error, 'EINVAL', 'ENOENT', 'ENOTDIR', 'UNKNOWN')) return found
      throw error
    }
    found = resolve(dirname(found), named)
  }
  throw Object.assign(new Error(`ELOOP: too many symbolic links, '${path}'`), {
    ...{ code: 'ELOOP', syscall: 'readlink', path },
  })
}

/** From this size on a directory is read piece by piece; below, that takes several times longer. */
const largeDirectoryBytes = 128 * 1024
const namesAtOnce = 256

function eachName(path: string, visit: (name: string) => void): void {
  if (fs.statSync(path).size < largeDirectoryBytes) {
    for (const name of fs.readdirSync(path)) visit(name)
    return
  }
  const directory = fs.opendirSync(path, { bufferSize: namesAtOnce })
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      visit(entry.name)
    }
  } finally {
    directory.closeSync()
  }
}

function watchFile(path: string, onChange: () => void): FileWatch | null {
  try {
    const watcher = fs.watch(path, { persistent: false }, onChange)
    // From then on it tells nothing more.
    watcher.on('error', () => watcher.close())
    return { close: () => watcher.close() }
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return null
    throw error
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows has no flush of a directory; NTFS journals names by itself.
  if (process.platform === 'win32') return
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    await settled((done) => fs.fsync(descriptor, done))
  } finally {
    fs.closeSync(descriptor)
  }
}

function statFileSystem(path: string, tell: (stats: fs.StatsFs) => number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.statfs(path, (error, stats) => {
      if (error === null) resolve(tell(stats))
      else reject(error)
    })
  })
}

class NodeFile implements File {
  readonly path: string
  readonly #descriptor: number
  #isClosed = false
  /** Calls in the thread pool that use the descriptor. */
  #underWay = 0

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  sizeBytes(): number {
    return fs.fstatSync(this.#open('fstat')).size
  }

  readSync(target: Uint8Array, position: number): number {
    assertPosition(position)
    const descriptor = this.#open('read')
    let filled = 0
    while (filled < target.length) {
      const rest = target.length - filled
      const count = fs.readSync(descriptor, target, filled, rest, position + filled)
      if (count === 0) break
      filled += count
    }
    return filled
  }

  read(target: Uint8Array, position: number): Promise<number> {
    assertPosition(position)
    return this.#inPool<number>('read', (descriptor, resolve, reject) => {
      const readRest = (filled: number): void => {
        const rest = target.length - filled
        fs.read(descriptor, target, filled, rest, position + filled, (error, count) => {
          if (error !== null) reject(error)
          else if (count === 0 || count === rest) resolve(filled + count)
          else readRest(filled + count)
        })
      }
      readRest(0)
    })
  }

  writeSync(source: Uint8Array, position: number): number {
    assertPosition(position)
    return fs.writeSync(this.#open('write'), source, 0, source.length, position)
  }

  write(source: Uint8Array, position: number): Promise<number> {
    assertPosition(position)
    return this.#inPool<number>('write', (descriptor, resolve, reject) => {
      fs.write(descriptor, source, 0, source.length, position, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
  }

  datasync(): Promise<void> {
    return this.#inPool<void>('fdatasync', (descriptor, resolve, reject) => {
      fs.fdatasync(descriptor, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    })
  }

  datasyncSync(): void {
    fs.fdatasyncSync(this.#open('fdatasync'))
  }

  truncate(sizeBytes: number): void {
    assertPosition(sizeBytes)
    fs.ftruncateSync(this.#open('ftruncate'), sizeBytes)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#underWay === 0) fs.closeSync(this.#descriptor)
  }

  /** The descriptor, which after close() may already be another file's. */
  #open(syscall: string): number {
    if (!this.#isClosed) return this.#descriptor
    const text = `EBADF: bad file descriptor, ${syscall} '${this.path}' (closed)`
    throw Object.assign(new Error(text), { code: 'EBADF', syscall, path: this.path })
  }

  /** Runs a call in the thread pool, and keeps the descriptor from being reused meanwhile. */
  #inPool<T>(
    syscall: string,
    call: (fd: number, resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const descriptor = this.#open(syscall)
      const finish = (): void => {
        this.#underWay -= 1
        // Whatever had to be durable has been flushed: an error of close tells nothing more.
        if (this.#isClosed && this.#underWay === 0) fs.close(descriptor, () => {})
      }
      this.#underWay += 1
      call(
        descriptor,
        (value) => {
          finish()
          resolve(value)
        },
        (error) => {
          finish()
          reject(error)
        },
      )
    })
  }
}

/** Node takes a negative position for "wherever the last call ended". */
function assertPosition(position: number): void {
  assert(Number.isSafeInteger(position) && position >= 0, 'a file position is 0 … 2^53-1')
}

function settled(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}
