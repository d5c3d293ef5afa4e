import { resolve } from 'node:path'
import { finishSwap } from '@varve/backup'
import type { FileSystem } from '@varve/log'
import { isRestoreUnfinished } from '@varve/log/files'

/**
 * Completes a restore of a data directory that was interrupted as it took its place: all of it is
 * there, under other names. Rejects with LogLockedError while somebody is at it, and with
 * RestoreRefusedError where somebody has made another directory meanwhile.
 */
export async function finishRestore(fs: FileSystem, directory: string): Promise<void> {
  const path = resolve(directory)
  if (isRestoreUnfinished(fs, path)) await finishSwap(fs, path)
}
