import { dirname } from 'node:path'
import { type FileSystem, LogLockedError } from '@varve/log'
import {
  isSystemError,
  parsePartitionDirectoryName,
  readSmallFile,
  replaceSmallFile,
} from '@varve/log/files'
import { JsonShape } from '../format/json-shape.ts'
import { RestoreRefusedError } from './restore-errors.ts'

/** Where a restored data directory is put together, beside its place. */
export function stagingOf(directory: string): string {
  return `${directory}.restoring`
}

/** Where what a restore replaced is kept, to undo it. */
export function replacedOf(directory: string): string {
  return `${directory}.before-restore`
}

/** In the staging directory, when it is complete; in the restored one until it has its place. */
const swapFileName = 'varve-restore-swap'

interface Swap {
  /** Partitions that were not restored, and move over from what was there before. */
  readonly kept: readonly string[]
}

/**
 * Puts a staged data directory in its place. What was there goes aside, but for the partitions that
 * were not restored: they move over. A crash at any point leaves what `finishSwap` completes.
 */
export async function swapIn(
  fs: FileSystem,
  directory: string,
  kept: readonly string[],
): Promise<void> {
  const path = `${stagingOf(directory)}/${swapFileName}`
  // From here on it is done, whoever does it.
  await replaceSmallFile(fs, path, Buffer.from(JSON.stringify({ kept })))
  await finishSwap(fs, directory)
}

/** Completes a swap that a crash cut short. Tells whether there was one. */
export async function finishSwap(fs: FileSystem, directory: string): Promise<boolean> {
  const staging = stagingOf(directory)
  const replaced = replacedOf(directory)
  if (readSwap(fs, staging) !== null) {
    if (fs.stat(directory) !== null) await renameDurably(fs, directory, replaced)
    await renameDurably(fs, staging, directory)
  }
  const swap = readSwap(fs, directory)
  if (swap === null) return false
  for (const name of swap.kept) {
    const from = `${replaced}/${name}`
    if (fs.stat(from) === null) continue
    fs.rename(from, `${directory}/${name}`)
  }
  await fs.syncDirectory(directory)
  if (fs.stat(replaced) !== null) await fs.syncDirectory(replaced)
  await fs.remove(`${directory}/${swapFileName}`)
  await fs.syncDirectory(directory)
  return true
}

/**
 * Puts back what a restore replaced; what was restored is removed. Partitions that were not
 * restored move back, with what has been appended to them since. Rejects with RestoreRefusedError
 * when there is nothing to put back, with LogLockedError while somebody has the directory open.
 */
export async function undoRestore(fs: FileSystem, directory: string): Promise<void> {
  await finishSwap(fs, directory)
  const replaced = replacedOf(directory)
  if (fs.stat(replaced)?.isDirectory !== true) {
    throw new RestoreRefusedError(`${replaced} is not there: there is nothing to undo`)
  }
  const lock = await fs.lock(`${directory}/.lock`)
  if (lock === null) throw new LogLockedError(directory)
  try {
    const there = new Set(fs.list(replaced))
    const kept = partitionsIn(fs, directory).filter((name) => {
      return !there.has(name) && fs.stat(`${directory}/${name}/${keptMarkName}`) !== null
    })
    const staging = stagingOf(directory)
    await removeTree(fs, staging)
    await renameDurably(fs, replaced, staging)
    await swapIn(fs, directory, kept)
    await removeTree(fs, replaced)
  } finally {
    lock.release()
  }
}

/** In a partition that a restore has let stand, so that undoing moves it back. */
const keptMarkName = 'varve-kept'

/** Before the swap, in every partition that is to move over. */
export async function markKept(
  fs: FileSystem,
  directory: string,
  kept: readonly string[],
): Promise<void> {
  for (const name of kept) {
    await replaceSmallFile(fs, `${directory}/${name}/${keptMarkName}`, Buffer.alloc(0))
  }
}

/** Names of the partitions of a data directory. */
export function partitionsIn(fs: FileSystem, directory: string): readonly string[] {
  if (fs.stat(directory)?.isDirectory !== true) return []
  return fs.list(directory).filter((name) => parsePartitionDirectoryName(name)?.state === 'live')
}

export async function removeTree(fs: FileSystem, path: string): Promise<void> {
  if (fs.stat(path)?.isDirectory !== true) return
  for (const name of fs.list(path)) {
    const child = `${path}/${name}`
    if (fs.stat(child)?.isDirectory === true) await removeTree(fs, child)
    else await fs.remove(child)
  }
  await fs.removeDirectory(path)
  await fs.syncDirectory(dirname(path))
}

function readSwap(fs: FileSystem, directory: string): Swap | null {
  const path = `${directory}/${swapFileName}`
  try {
    const bytes = readSmallFile(fs, path, 2 ** 26)
    if (bytes === null) return null
    const kept = JsonShape.parse(bytes, path).get('kept')
    return { kept: kept.list((name) => name.text(/^[A-Za-z0-9._-]+-\d+$/)) }
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return null
    throw error
  }
}

async function renameDurably(fs: FileSystem, from: string, to: string): Promise<void> {
  fs.rename(from, to)
  await fs.syncDirectory(dirname(to))
}
