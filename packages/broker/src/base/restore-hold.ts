import { retentionHoldFileName } from '@varve/backup'
import { type FileSystem, LogNotFoundError, nodeFileSystem } from '@varve/log'
import { readSmallFile } from '@varve/log/files'

/** Why nothing is deleted from a restored data directory by its age or size. */
export interface RestoreHold {
  /** The backup that was restored; null where the file does not say. */
  readonly backupId: string | null
  /** In ms since the epoch; null where the file does not say. */
  readonly restoredMs: number | null
}

const holdBytesMax = 64 * 1024

/**
 * What was restored is old, and retention would delete it at once: so a restored data directory has
 * a file that keeps retention from deleting anything until somebody has looked, and removes it.
 * That it is there counts, whatever is in it. Null without one.
 */
export function readRestoreHold(fs: FileSystem, directory: string): RestoreHold | null {
  const bytes = readSmallFile(fs, holdPath(directory), holdBytesMax)
  if (bytes === null) return null
  try {
    const { backupId, restoredMs } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
    return {
      backupId: typeof backupId === 'string' ? backupId : null,
      restoredMs: typeof restoredMs === 'number' ? restoredMs : null,
    }
  } catch {
    return { backupId: null, restoredMs: null }
  }
}

/** Whether retention is held. Costs one look at the file system. */
export function isRetentionHeld(fs: FileSystem, directory: string): boolean {
  return fs.stat(holdPath(directory)) !== null
}

/**
 * Lets retention delete again from a data directory that was restored, also from one that is open:
 * it counts from the next look. Durable when it resolves. Tells whether retention was held.
 *
 * Rejects with LogNotFoundError when there is no such directory.
 */
export async function releaseRetention(
  directory: string,
  { fs = nodeFileSystem }: { readonly fs?: FileSystem } = {},
): Promise<boolean> {
  if (fs.stat(directory)?.isDirectory !== true) {
    throw new LogNotFoundError(`there is no data directory ${directory}`)
  }
  const isHeld = isRetentionHeld(fs, directory)
  if (isHeld) await fs.remove(holdPath(directory))
  await fs.syncDirectory(directory)
  return isHeld
}

function holdPath(directory: string): string {
  return `${directory}/${retentionHoldFileName}`
}
