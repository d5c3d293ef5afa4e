import type { LockHolder } from './lock-holder.ts'

/**
 * What the engine asks of a file system. Two implementations: `nodeFileSystem` (the real one) and
 * `SimulatedFileSystem` in `@varve/log/testing`, which can cut the power after any call.
 *
 * Calls that only touch memory on a healthy machine (opening, small reads, writes into the page
 * cache, renames) are synchronous: Node's asynchronous forms cost 40 to 100 µs each, these 1 to 10.
 * Calls that wait for a disk (flushing, removing large files) or move many bytes are asynchronous.
 *
 * Every method throws, or rejects with, Node's own system error (`code`: 'ENOENT', 'EIO', …).
 */
export interface FileSystem {
  /** Opens a file. See {@link OpenMode}. */
  open(path: string, mode: OpenMode): File
  /** Names in a directory, in no particular order. */
  list(directory: string): readonly string[]
  /**
   * As `list`, but never with all names in memory at once: a log may have a hundred thousand.
   * Absent where that gains nothing.
   */
  eachName?(directory: string, visit: (name: string) => void): void
  /** What is at `path`, or null when nothing is. */
  stat(path: string): FileStat | null
  /**
   * What a symbolic link names in the end, whether something is there or not; `path` itself where
   * it is no link. Absent where there are no links.
   */
  resolveLinks?(path: string): string
  /** Makes one directory; its parent must exist. An existing directory is an error (EEXIST). */
  makeDirectory(path: string): void
  /** Renames a file or directory, replacing a file of that name. Durable after syncDirectory. */
  rename(from: string, to: string): void
  /** Gives a file a second name on the same file system (a hard link). */
  link(existing: string, added: string): void
  /** Sets the time of last modification, in milliseconds since the epoch. */
  setModifiedTime(path: string, timeMs: number): void
  /** Removes a file. Durable after syncDirectory of its parent. */
  remove(path: string): Promise<void>
  /** Removes an empty directory. */
  removeDirectory(path: string): Promise<void>
  /** Makes the names in a directory durable: files created, renamed and removed there. */
  syncDirectory(path: string): Promise<void>
  /**
   * Takes an exclusive advisory lock on a file, created when absent, that other processes (a Kafka
   * broker too) and other holders in this process respect; null when somebody else holds it.
   */
  lock(path: string): Promise<FileLock | null>
  /** Who holds the lock on a file, where the system tells; for messages. */
  lockHolder?(path: string): LockHolder | null
  /**
   * Calls back soon after a file was written to, by whatever process; null where that is not to be
   * had: there is no such file, or the system has no watches left. It may miss changes and tell of
   * some that were none, so whoever uses it looks from time to time all the same. Does not keep the
   * process alive. Absent where there is nothing like it.
   */
  watch?(path: string, onChange: () => void): FileWatch | null
  /** Bytes that an unprivileged process can still write where `path` lies. */
  freeBytes(path: string): Promise<number>
  /** Size of the file system on which `path` lies. Absent where there is no telling. */
  totalBytes?(path: string): Promise<number>
  /**
   * How often this process has waited for anything so far, a disk above all, rather than for a
   * processor that others had; null where the system does not count it. Absent where it never does.
   */
  waits?(): number | null
}

/**
 * - `read`: read only, must exist.
 * - `write`: read and write, must exist.
 * - `create`: read and write, must not exist (EEXIST).
 * - `replace`: read and write, created or emptied.
 */
export type OpenMode = 'read' | 'write' | 'create' | 'replace'

/** What is known of a file without reading it. */
export interface FileStat {
  /** Tells files apart that had the same name at different times (an inode number). */
  readonly fileId: number
  readonly isDirectory: boolean
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/**
 * An open file. Reads and writes are positioned. Reads fill `target` unless the file ends first;
 * writes may be short, as the kernel's are: use `writeFully` and `writeFullySync`.
 */
export interface File {
  readonly path: string
  sizeBytes(): number
  readSync(target: Uint8Array, position: number): number
  read(target: Uint8Array, position: number): Promise<number>
  writeSync(source: Uint8Array, position: number): number
  write(source: Uint8Array, position: number): Promise<number>
  /** Makes the file's data durable, and its length where that changed (fdatasync). */
  datasync(): Promise<void>
  /** As `datasync`, but the thread waits for the disk. */
  datasyncSync(): void
  /** Cuts the file, or extends it with zeros (sparse). */
  truncate(sizeBytes: number): void
  /** Idempotent. Flushes nothing. */
  close(): void
}

/** A file that is being watched. */
export interface FileWatch {
  /** Idempotent. */
  close(): void
}

/** A lock that is held. */
export interface FileLock {
  readonly path: string
  /** Idempotent. */
  release(): void
}

/** Writes all of `source`, going on after short writes. */
export function writeFullySync(file: File, source: Uint8Array, position: number): void {
  let written = 0
  while (written < source.length) {
    const rest = written === 0 ? source : source.subarray(written)
    written += progressOf(file, file.writeSync(rest, position + written))
  }
}

/** As {@link writeFullySync}, off the event loop. */
export async function writeFully(file: File, source: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < source.length) {
    const rest = written === 0 ? source : source.subarray(written)
    written += progressOf(file, await file.write(rest, position + written))
  }
}

/** A write that makes no progress would be repeated for ever. */
function progressOf(file: File, written: number): number {
  if (written > 0) return written
  throw Object.assign(new Error(`write to ${file.path} made no progress`), { code: 'EIO' })
}

/** Reads a whole small file, or null when it does not exist. A larger one is an error (EFBIG). */
export function readSmallFile(fs: FileSystem, path: string, bytesMax: number): Buffer | null {
  const file = openIfThere(fs, path)
  if (file === null) return null
  try {
    const size = file.sizeBytes()
    if (size > bytesMax) {
      const text = `${path} has ${size} bytes, more than the ${bytesMax} that are expected at most`
      throw Object.assign(new Error(text), { code: 'EFBIG', syscall: 'read', path })
    }
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, file.readSync(bytes, 0))
  } catch (error) {
    // The system does not say which.
    if (!isSystemError(error, 'EISDIR')) throw error
    throw Object.assign(new Error(`${path} is a directory`, { cause: error }), {
      ...{ code: 'EISDIR', syscall: 'read', path },
    })
  } finally {
    file.close()
  }
}

/**
 * The first bytes of a file, as many as there are up to `bytesMax`; null when it does not exist.
 */
export function readFileStart(fs: FileSystem, path: string, bytesMax: number): Buffer | null {
  const file = openIfThere(fs, path)
  if (file === null) return null
  try {
    const bytes = Buffer.alloc(Math.min(file.sizeBytes(), bytesMax))
    return bytes.subarray(0, file.readSync(bytes, 0))
  } finally {
    file.close()
  }
}

function openIfThere(fs: FileSystem, path: string): File | null {
  try {
    return fs.open(path, 'read')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null
    throw error
  }
}

/** Writes a file whole and flushes it; its name is made durable by the caller. */
export async function writeDurably(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = fs.open(path, 'replace')
  try {
    writeFullySync(file, bytes, 0)
    await file.datasync()
  } finally {
    file.close()
  }
}

/**
 * Puts a small file in place whole or not at all: temporary name, flush, rename, directory flush.
 */
export async function replaceSmallFile(
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporaryPath = `${path}.tmp`
  await writeDurably(fs, temporaryPath, bytes)
  fs.rename(temporaryPath, path)
  await fs.syncDirectory(parentOf(path))
}

/** Whether `error` is a system error with one of these codes. */
export function isSystemError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function parentOf(path: string): string {
  const end = path.lastIndexOf('/')
  return end <= 0 ? (end === 0 ? '/' : '.') : path.slice(0, end)
}
