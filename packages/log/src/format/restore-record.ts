import { resolve } from 'node:path'
import { UnfinishedRestoreError } from '../base/log-errors.ts'
import { type FileSystem, isSystemError, readSmallFile } from '../storage/file-system.ts'

/**
 * Makes a staged data directory complete, and tells, in its place, what a restore has let stand. A
 * staging directory that has it takes its place, whoever does it.
 */
export const restoreRecordFileName = 'varve-restored'

/** More than the names of all partitions have. */
export const restoreRecordBytesMax: number = 2 ** 26

/**
 * The place of a data directory, absolute: where it is a symbolic link, of what that names. The
 * link stays, and what is put together or kept aside is beside what it names.
 */
export function restorePlaceOf(fs: FileSystem, directory: string): string {
  const path = resolve(directory)
  return fs.resolveLinks?.(path) ?? path
}

/** Where a restored data directory is put together, beside its place. */
export function stagingOf(directory: string): string {
  return `${directory}.restoring`
}

/** Where what a restore replaced is kept, to undo it. */
export function replacedOf(directory: string): string {
  return `${directory}.before-restore`
}

/**
 * Whether a restore was interrupted as it took its place: one that is whole waits beside it, or
 * partitions that belong to it have not moved over yet. Costs three looks at
 * names that are not there.
 */
export function isRestoreUnfinished(fs: FileSystem, directory: string): boolean {
  try {
    const path = restorePlaceOf(fs, directory)
    return (
      fs.stat(`${stagingOf(path)}/${restoreRecordFileName}`) !== null || lacksPartitions(fs, path)
    )
  } catch (error) {
    // Something of that name that is no directory, or a name so long that nothing can be beside it.
    if (isSystemError(error, 'ENOTDIR', 'ENAMETOOLONG')) return false
    throw error
  }
}

/** Throws UnfinishedRestoreError. */
export function refuseUnfinishedRestore(fs: FileSystem, directory: string): void {
  if (isRestoreUnfinished(fs, directory)) throw new UnfinishedRestoreError(directory)
}

function lacksPartitions(fs: FileSystem, directory: string): boolean {
  const replaced = replacedOf(directory)
  if (fs.stat(replaced)?.isDirectory !== true) return false
  const path = `${directory}/${restoreRecordFileName}`
  const bytes = readSmallFile(fs, path, restoreRecordBytesMax)
  if (bytes === null) return false
  const kept = keptIn(bytes)
  // Of one that is damaged nobody knows what belongs to it.
  return kept === null || kept.some((name) => fs.stat(`${replaced}/${name}`) !== null)
}

function keptIn(bytes: Buffer): readonly string[] | null {
  try {
    const record: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof record !== 'object' || record === null || !('kept' in record)) return null
    const { kept } = record
    return Array.isArray(kept) && kept.every(isName) ? kept : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9._-]+-\d+$/.test(name)
}
