import { dirname } from 'node:path'
import { type FileLock, type FileSystem, LogLockedError } from '@varve/log'
import {
  cleanShutdownFileName,
  isRestoreUnfinished,
  isSystemError,
  parsePartitionDirectoryName,
  readSmallFile,
  removeTree,
  replacedOf,
  replaceSmallFile,
  restorePlaceOf,
  restoreRecordBytesMax,
  restoreRecordFileName,
  stagingOf,
} from '@varve/log/files'
import { JsonShape } from '../format/json-shape.ts'
import { RestoreRefusedError } from './restore-errors.ts'

export { replacedOf, restorePlaceOf, stagingOf }

/** Where what an undone restore had brought is, until it is removed. */
function undoneOf(directory: string): string {
  return `${directory}.undone-restore`
}

export const lockFileName = '.lock'

interface SwapRecord {
  readonly kind: 'restore' | 'undo'
  /** Partitions that were not restored, and move over from what was there before. */
  readonly kept: readonly string[]
}

/**
 * Puts a staged data directory in its place; both are locked by the caller. What was there goes
 * aside, but for the partitions that were not restored: they move over. A crash at any point leaves
 * what `finishSwap` completes, or what there was before.
 */
export async function swapIn(
  fs: FileSystem,
  directory: string,
  kept: readonly string[],
): Promise<void> {
  const staging = stagingOf(directory)
  await writeRecord(fs, staging, { kind: 'restore', kept })
  try {
    // What cannot be done shows at the first rename, when nothing else has changed.
    if (!setAside(fs, directory)) fs.rename(staging, directory)
  } catch (error) {
    // Nobody shall go on with it.
    await fs.remove(`${staging}/${restoreRecordFileName}`)
    await fs.syncDirectory(staging)
    if (!isSystemError(error, 'EBUSY', 'EXDEV')) throw error
    throw new RestoreRefusedError(
      `${directory} cannot be renamed: it is where a file system is mounted`,
      'restore into a directory within it, or beside it',
    )
  }
  await fs.syncDirectory(dirname(directory))
  await completeSwap(fs, directory)
}

/**
 * Completes a swap, or the undoing of one, that a crash cut short. Tells whether there was
 * something to do. Rejects with LogLockedError while somebody is at it, and with
 * RestoreRefusedError where somebody has made another directory meanwhile.
 */
export async function finishSwap(fs: FileSystem, path: string): Promise<boolean> {
  const directory = restorePlaceOf(fs, path)
  const isToDo = (): boolean => isUnfinished(fs, directory)
  if (!isToDo()) return false
  const locks: FileLock[] = []
  try {
    // Both: somebody may have opened what the staged one is to take the place of.
    for (const place of [stagingOf(directory), directory]) {
      // An empty one gives way, and shall not have a lock in it.
      if (hasFiles(fs, place)) locks.push(await locked(fs, place))
    }
    // Whoever had them may have completed it.
    if (!isToDo()) return false
    await completeSwap(fs, directory)
    return true
  } finally {
    for (const lock of locks) lock.release()
  }
}

async function locked(fs: FileSystem, directory: string): Promise<FileLock> {
  const path = `${directory}/${lockFileName}`
  const lock = await fs.lock(path).catch((error: unknown) => {
    // Somebody is at it: the directory has another name by now.
    if (isSystemError(error, 'ENOENT')) return null
    throw error
  })
  if (lock === null) throw new LogLockedError(directory, fs.lockHolder?.(path) ?? null)
  return lock
}

function hasFiles(fs: FileSystem, directory: string): boolean {
  return fs.stat(directory)?.isDirectory === true && fs.list(directory).length > 0
}

/** Whether a restored directory lacks what belongs to it, or something should be gone. */
function isUnfinished(fs: FileSystem, directory: string): boolean {
  if (isRestoreUnfinished(fs, directory) || fs.stat(undoneOf(directory)) !== null) return true
  return readRecord(fs, directory)?.kind === 'undo'
}

/** Every step can be done again. */
async function completeSwap(fs: FileSystem, directory: string): Promise<void> {
  const staging = stagingOf(directory)
  const replaced = replacedOf(directory)
  if (readRecord(fs, staging) !== null) {
    setAside(fs, directory)
    await fs.syncDirectory(dirname(directory))
    await renameDurably(fs, staging, directory)
  }
  const record = readRecord(fs, directory)
  if (record === null) {
    await removeDurably(fs, undoneOf(directory))
    return
  }
  for (const name of record.kept) {
    const from = `${replaced}/${name}`
    if (fs.stat(from) !== null) fs.rename(from, `${directory}/${name}`)
  }
  await fs.syncDirectory(directory)
  if (fs.stat(replaced) !== null) await fs.syncDirectory(replaced)
  if (record.kind === 'undo') await completeUndo(fs, directory)
}

/** What is in the way of the staged directory. Tells whether something was. */
function setAside(fs: FileSystem, directory: string): boolean {
  const stat = fs.stat(directory)
  // An empty one gives way to what is renamed to its name.
  if (stat === null || (stat.isDirectory && fs.list(directory).length === 0)) return false
  const replaced = replacedOf(directory)
  if (fs.stat(replaced) !== null) {
    throw new RestoreRefusedError(
      `a restored directory waits to be ${directory}, and both that and ${replaced} are there`,
      `one of them was made since: move ${directory} away, and restore again`,
    )
  }
  fs.rename(directory, replaced)
  return true
}

/**
 * Puts back what a restore replaced; what was restored is removed, with what has been appended to
 * it since. Partitions that the restore let stand move back as they are now. Rejects with
 * RestoreRefusedError when there is nothing to put back, with LogLockedError while somebody has the
 * directory open.
 */
export async function undoRestore(fs: FileSystem, path: string): Promise<void> {
  const directory = restorePlaceOf(fs, path)
  await finishSwap(fs, directory)
  const replaced = replacedOf(directory)
  const staging = stagingOf(directory)
  const record = readRecord(fs, directory)
  if (record === null || fs.stat(replaced)?.isDirectory !== true) {
    throw new RestoreRefusedError(`${directory} was not restored in place: nothing is to undo`)
  }
  const lock = await locked(fs, directory)
  try {
    await removeStaging(fs, staging)
    const kept = record.kept.filter((name) => fs.stat(`${directory}/${name}`) !== null)
    // Of a clean shutdown before the restore: it says nothing of what comes back from after it.
    const cleanShutdown = `${replaced}/${cleanShutdownFileName}`
    if (fs.stat(cleanShutdown) !== null) await fs.remove(cleanShutdown)
    await writeRecord(fs, replaced, { kind: 'undo', kept })
    await renameDurably(fs, replaced, staging)
    await completeSwap(fs, directory)
  } finally {
    lock.release()
  }
}

async function completeUndo(fs: FileSystem, directory: string): Promise<void> {
  const replaced = replacedOf(directory)
  const undone = undoneOf(directory)
  if (fs.stat(replaced) !== null) {
    // One name for what is whole, another for what is being removed.
    await removeDurably(fs, undone)
    await renameDurably(fs, replaced, undone)
  }
  await fs.remove(`${directory}/${restoreRecordFileName}`)
  await fs.syncDirectory(directory)
  await removeDurably(fs, undone)
}

/** Of a restore that was interrupted. */
async function removeStaging(fs: FileSystem, staging: string): Promise<void> {
  if (fs.stat(staging)?.isDirectory !== true) return
  const lock = await locked(fs, staging)
  lock.release()
  await removeDurably(fs, staging)
}

/** Names of the partitions of a data directory. */
export function partitionsIn(fs: FileSystem, directory: string): readonly string[] {
  if (fs.stat(directory)?.isDirectory !== true) return []
  return fs.list(directory).filter((name) => parsePartitionDirectoryName(name)?.state === 'live')
}

/** Removes a directory that may be there, durably. */
export async function removeDurably(fs: FileSystem, path: string): Promise<void> {
  if (fs.stat(path)?.isDirectory !== true) return
  await removeTree(fs, path)
  await fs.syncDirectory(dirname(path))
}

function writeRecord(fs: FileSystem, directory: string, record: SwapRecord): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(record)}\n`)
  return replaceSmallFile(fs, `${directory}/${restoreRecordFileName}`, bytes)
}

function readRecord(fs: FileSystem, directory: string): SwapRecord | null {
  const path = `${directory}/${restoreRecordFileName}`
  try {
    const bytes = readSmallFile(fs, path, restoreRecordBytesMax)
    if (bytes === null) return null
    const shape = JsonShape.parse(bytes, path)
    const kind = shape.get('kind').oneOf(['restore', 'undo'])
    const kept = shape.get('kept').list((name) => name.text(/^[A-Za-z0-9._-]+-\d+$/))
    return { kind, kept }
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return null
    throw error
  }
}

async function renameDurably(fs: FileSystem, from: string, to: string): Promise<void> {
  fs.rename(from, to)
  await fs.syncDirectory(dirname(to))
}
