import fs from 'node:fs'
import { createRequire } from 'node:module'
import { NativeModuleError } from '@varve/record'
import { type FileLock, isSystemError } from './file-system.ts'

/**
 * Takes the advisory lock that keeps two owners out of one data directory, on a file that is
 * created when absent and never removed. Null when somebody else holds it.
 *
 * Two kinds of lock are taken, each for what the other lacks:
 * 1. The POSIX lock (fcntl) over the whole file is what a Kafka broker takes on `.lock` (Java's
 *    `FileChannel.tryLock`), so that broker and engine exclude each other.
 * 2. The flock belongs to the open descriptor, so it also keeps out a worker thread of this
 *    process, and it survives what follows.
 *
 * Closing *any* descriptor of the file drops the process's POSIX locks on it. So a file that this
 * thread has locked is never opened a second time here: a registry refuses first. Nothing else in
 * the process may open it either: a copy of a data directory leaves the lock file out. A refused
 * attempt from another thread does close one, and leaves only the flock: lock from one thread.
 *
 * Only Linux keeps the two kinds apart. On macOS and the BSDs they exclude each other even within
 * one process (their fcntl(2) says so), so there the POSIX lock is taken alone; Windows has only
 * the first kind's counterpart. Either is released by the kernel when the process ends.
 *
 * Throws NativeModuleError where the native package behind the locks cannot be loaded.
 */
export async function lockFile(path: string): Promise<FileLock | null> {
  const native = loadNativeLocks()
  const before = fs.statSync(path, { throwIfNoEntry: false })
  if (before !== undefined && locked.has(identityOf(before))) return null
  // From the look at the registry to the entry in it nothing else runs on this thread.
  const descriptor = fs.openSync(path, 'a', 0o666)
  const identity = identityOf(fs.fstatSync(descriptor))
  locked.add(identity)
  const release = (): void => {
    if (!locked.delete(identity)) return
    fs.closeSync(descriptor)
  }
  try {
    await takeLocks(native, descriptor)
  } catch (error) {
    release()
    if (isSystemError(error, 'EAGAIN', 'EWOULDBLOCK', 'EACCES')) return null
    throw error
  }
  return new HeldLock(path, release)
}

class HeldLock implements FileLock {
  readonly path: string
  #release: (() => void) | null

  constructor(path: string, release: () => void) {
    this.path = path
    this.#release = release
  }

  release(): void {
    this.#release?.()
    this.#release = null
  }
}

/** What is used of `fs-ext`; its fcntl passes the lock structure only with a callback. */
interface NativeLocks {
  flock(descriptor: number, flags: 'exnb', done: (error: Error | null) => void): void
  fcntl(
    descriptor: number,
    command: 'setlk',
    lockType: number,
    done: (error: Error | null) => void,
  ): void
  readonly constants: { readonly F_WRLCK?: number }
}

/**
 * Files locked by this thread, by device and inode. Kept outside the module, because a program may
 * hold two copies of this package.
 */
const registryKey: unique symbol = Symbol.for('varve.lockedFiles') as never
const registryHolder = globalThis as { [registryKey]?: Set<string> }
registryHolder[registryKey] ??= new Set()
const locked: Set<string> = registryHolder[registryKey]

async function takeLocks(native: NativeLocks, descriptor: number): Promise<void> {
  const posixType = native.constants.F_WRLCK
  const takesFlock = process.platform === 'linux' || posixType === undefined
  if (takesFlock) {
    await new Promise<void>((resolve, reject) => {
      native.flock(descriptor, 'exnb', (error) => (error === null ? resolve() : reject(error)))
    })
  }
  if (posixType === undefined) return
  await new Promise<void>((resolve, reject) => {
    native.fcntl(descriptor, 'setlk', posixType, (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}

let loadedLocks: NativeLocks | null = null

/** Loaded at the first lock, so that a reader, which takes none, does without the package. */
function loadNativeLocks(): NativeLocks {
  try {
    loadedLocks ??= createRequire(import.meta.url)('fs-ext') as NativeLocks
    return loadedLocks
  } catch (cause) {
    throw new NativeModuleError('fs-ext', 'the lock on the data directory', cause)
  }
}

function identityOf(stat: fs.Stats): string {
  return `${stat.dev}:${stat.ino}`
}
