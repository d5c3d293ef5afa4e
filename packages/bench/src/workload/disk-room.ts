import { type FileSystem, nodeFileSystem } from '@varve/log'
import { BenchFailedError } from './bench-errors.ts'

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
 * Rejects with BenchFailedError where what a run will write does not fit, before it has written for
 * minutes and filled a disk that others need.
 */
export async function requireRoom(
  directory: string,
  neededBytes: number,
  fs: FileSystem = nodeFileSystem,
): Promise<void> {
  const freeBytes = await fs.freeBytes(directory)
  if (neededBytes <= freeBytes - bytesToLeave(freeBytes)) return
  throw new BenchFailedError(
    `it would write about ${sizeText(neededBytes)} to ${directory}, where ` +
      `${sizeText(freeBytes)} are free`,
  )
}

function sizeText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`
}
