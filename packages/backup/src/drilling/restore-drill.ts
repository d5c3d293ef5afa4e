import { type Clock, LogLockedError, nodeFileSystem, systemClock, verifyPath } from '@varve/log'
import { TargetError } from '../base/backup-errors.ts'
import type { ReadManifest } from '../repository/backup-catalogue.ts'
import { type DrillRecord, recordDrill } from '../repository/drill-records.ts'
import type { Repository } from '../repository/repository.ts'
import { RestoreRefusedError } from '../restoring/restore-errors.ts'
import { type RestoreOptions, type RestoreReport, restoreBackup } from '../restoring/restore-run.ts'
import { removeDurably, replacedOf, restorePlaceOf, stagingOf } from '../restoring/staged-swap.ts'
import type { Target } from '../target/target.ts'

export interface DrillOptions
  extends Pick<RestoreOptions, 'threads' | 'signal' | 'onProgress' | 'hooks' | 'clock'> {
  /** A directory that is made for the drill, and removed afterwards. */
  readonly scratch: string
}

/** What a drill showed. */
export interface DrillReport {
  readonly backupId: string
  readonly atMs: number
  /** From nothing to a data directory that can be opened. */
  readonly recoveryMs: number
  readonly bytes: number
  readonly bytesPerSecond: number
  readonly partitions: number
  /** What is wrong with the restored directory; empty when it is as it must be. */
  readonly findings: readonly string[]
  /** Why this is not in the repository, as where that is read-only; null where it is. */
  readonly notRecorded: string | null
}

/**
 * Restores a backup into a scratch directory, checks the result as a data directory, record by
 * record, and removes it: the proof that restoring works here, and how long it takes. What it
 * showed is left in the repository. Rejects as `restoreBackup` does.
 */
export async function drillRestore(
  repository: Repository,
  backup: ReadManifest,
  options: DrillOptions,
): Promise<DrillReport> {
  const { clock = systemClock, ...rest } = options
  const scratch = restorePlaceOf(nodeFileSystem, options.scratch)
  refuseOthers(scratch)
  const restored = await restoreInto(repository, backup, { ...rest, clock, to: scratch })
  try {
    const findings: string[] = restored.gaps.map(
      ({ topic, partition, reason }) => `${topic}-${partition}: not in the backup: ${reason}`,
    )
    for await (const finding of verifyPath(scratch)) {
      findings.push(`${finding.path}: ${finding.message}`)
    }
    const report = {
      backupId: restored.backupId,
      atMs: clock.now(),
      recoveryMs: restored.durationMs,
      bytes: restored.totalBytes,
      bytesPerSecond: (restored.totalBytes / Math.max(restored.durationMs, 1)) * 1000,
      partitions: restored.partitions.length,
      findings,
    }
    const record = { ...report, findings: findings.length }
    return { ...report, notRecorded: await note(repository.target, record, clock) }
  } finally {
    await removeDurably(nodeFileSystem, scratch)
  }
}

/** Where it fails, what is at that place is somebody else's; what was put together goes. */
async function restoreInto(
  repository: Repository,
  backup: ReadManifest,
  options: RestoreOptions,
): Promise<RestoreReport> {
  try {
    return await restoreBackup(repository, backup, options)
  } catch (error) {
    // Another drill is at it.
    if (error instanceof LogLockedError) throw error
    await removeDurably(nodeFileSystem, stagingOf(options.to))
    throw error
  }
}

/** What was found is as true where it cannot be written. */
async function note(target: Target, record: DrillRecord, clock: Clock): Promise<string | null> {
  try {
    await recordDrill(target, record, clock)
    return null
  } catch (error) {
    if (!(error instanceof TargetError)) throw error
    return error.message
  }
}

/** It is removed at the end: nothing that somebody needs may be there. */
function refuseOthers(scratch: string): void {
  const isInUse = [scratch, stagingOf(scratch), replacedOf(scratch)].find(
    (path) => nodeFileSystem.stat(path) !== null,
  )
  if (isInUse === undefined) return
  throw new RestoreRefusedError(`${isInUse} is there`, 'give a drill a directory that is not there')
}
