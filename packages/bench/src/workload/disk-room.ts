import { type FileSystem, nodeFileSystem } from '@varve/log'
import { BenchDiskFullError } from './bench-errors.ts'

/** What a run leaves of a disk that has more. */
const leftBytes = 2 ** 30

/**
 * How many bytes a run leaves free on a disk that has so many when it begins: a gibibyte, or a
 * tenth of what there is.
 */
export function bytesToLeave(freeBytes: number): number {
  return Math.min(leftBytes, Math.floor(freeBytes / 10))
}

/**
 * Rejects with BenchDiskFullError where what a run will write does not fit, before it has written
 * for minutes and filled a disk that others need.
 */
export async function requireRoom(
  directory: string,
  neededBytes: number,
  fs: FileSystem = nodeFileSystem,
): Promise<void> {
  const freeBytes = await fs.freeBytes(directory)
  if (neededBytes <= freeBytes - bytesToLeave(freeBytes)) return
  throw new BenchDiskFullError(
    directory,
    `it would write about ${sizeText(neededBytes)} to ${directory}, where ` +
      `${sizeText(freeBytes)} are free`,
  )
}

/** A BenchDiskFullError of what was refused for want of room; any other error as it is. */
export function asDiskFull(error: unknown, directory: string): unknown {
  if (error instanceof BenchDiskFullError || !isForWantOfRoom(error)) return error
  return new BenchDiskFullError(directory, `the disk of ${directory} is full`, error)
}

const roomCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])
/** Errors have few causes, and may have each other. */
const causesMax = 8

function isForWantOfRoom(error: unknown): boolean {
  let one = error
  for (let depth = 0; depth < causesMax && one instanceof Error; depth++) {
    if ('code' in one && roomCodes.has(one.code)) return true
    // Where closing failed as well, what came first says why.
    one = 'suppressed' in one ? one.suppressed : one.cause
  }
  return false
}

function sizeText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`
}
