import type { FileSystem } from '@varve/log'
import { readSmallFile, removeContent, replaceSmallFile } from '@varve/log/files'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { JsonShape } from '../format/json-shape.ts'
import { backupIdPattern } from '../format/manifest.ts'
import { RestoreRefusedError } from '../restoring/restore-errors.ts'
import { type RestoreScene, retentionHoldFileName } from '../restoring/restore-run.ts'
import { removeDurably, replacedOf } from '../restoring/staged-swap.ts'

// A standby's directory is held as every restored one is, and the hold says that it is a standby's.
// Whoever releases retention takes it for his own.

const holdBytesMax = 64 * 1024

/** Marks the directory that is being put together as a standby's, before it takes its place. */
export async function writeStandbyHold(
  { fs, clock, staging }: RestoreScene,
  backupId: string,
  repositoryId: string,
): Promise<void> {
  const hold = { backupId, restoredMs: clock.now(), standbyOf: repositoryId }
  const bytes = Buffer.from(`${JSON.stringify(hold)}\n`)
  await replaceSmallFile(fs, `${staging}/${retentionHoldFileName}`, bytes)
}

/**
 * The id of the backup that a standby's directory is like; null where there is nothing yet. Throws
 * RestoreRefusedError where something is that is not to be replaced.
 */
export function readStandbyHold(
  fs: FileSystem,
  directory: string,
  repositoryId: string,
): string | null {
  if (isVacant(fs, directory)) return null
  const hold = readHold(fs, `${directory}/${retentionHoldFileName}`)
  if (hold !== null && hold.standbyOf === repositoryId) return hold.backupId
  const what = hold === null ? 'it is no standby' : 'it is a standby of another repository'
  throw new RestoreRefusedError(
    `${directory} is not replaced: ${what}`,
    'follow into a directory that is not there yet; one whose retention was released is not ' +
      'followed into any more',
  )
}

/**
 * Throws RestoreRefusedError where what a standby's directory would be kept aside as is there
 * already, and is not what a standby of the same repository was.
 */
export function refuseOthersAside(fs: FileSystem, directory: string, repositoryId: string): void {
  const aside = replacedOf(directory)
  if (isVacant(fs, aside)) return
  const hold = readHold(fs, `${aside}/${retentionHoldFileName}`)
  if (hold !== null && hold.standbyOf === repositoryId) return
  throw new RestoreRefusedError(
    `${aside} is there, and is no standby of this repository`,
    'move it away, or remove it when it is not needed any more',
  )
}

/**
 * Removes what a standby's directory was before. Its mark goes last, so that what a crash leaves is
 * known for what it is. Rejects as `refuseOthersAside` throws.
 */
export async function removeFormerStandby(
  fs: FileSystem,
  directory: string,
  repositoryId: string,
): Promise<void> {
  refuseOthersAside(fs, directory, repositoryId)
  const aside = replacedOf(directory)
  if (fs.stat(aside)?.isDirectory !== true) return
  await removeContent(fs, aside, (name) => name !== retentionHoldFileName)
  await fs.syncDirectory(aside)
  await removeDurably(fs, aside)
}

/** Whether nothing is there that could be lost. */
export function isVacant(fs: FileSystem, directory: string): boolean {
  const stat = fs.stat(directory)
  return stat === null || (stat.isDirectory && fs.list(directory).length === 0)
}

interface StandbyHold {
  readonly backupId: string
  readonly standbyOf: string
}

/** Null without one, and for that of a directory that somebody restored. */
function readHold(fs: FileSystem, path: string): StandbyHold | null {
  try {
    const bytes = readSmallFile(fs, path, holdBytesMax)
    if (bytes === null) return null
    const shape = JsonShape.parse(bytes, path)
    const backupId = shape.get('backupId').text(backupIdPattern)
    return { backupId, standbyOf: shape.get('standbyOf').text() }
  } catch (error) {
    if (error instanceof CorruptRepositoryError) return null
    throw error
  }
}
