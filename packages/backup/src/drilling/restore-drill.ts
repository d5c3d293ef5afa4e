import { randomBytes } from 'node:crypto'
import { type Clock, nodeFileSystem, systemClock, verifyPath } from '@varve/log'
import type { ReadManifest } from '../repository/backup-catalogue.ts'
import type { Repository } from '../repository/repository.ts'
import { type RestoreOptions, restoreBackup } from '../restoring/restore-run.ts'
import { removeDurably } from '../restoring/staged-swap.ts'
import type { Target } from '../target/target.ts'

export const drillsPrefix = 'drills/'

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
  const { scratch, clock = systemClock, ...rest } = options
  try {
    const restored = await restoreBackup(repository, backup, { ...rest, clock, to: scratch })
    const findings: string[] = restored.gaps.map(
      ({ topic, partition, reason }) => `${topic}-${partition}: not in the backup: ${reason}`,
    )
    for await (const finding of verifyPath(scratch)) {
      findings.push(`${finding.path}: ${finding.message}`)
    }
    const report: DrillReport = {
      backupId: restored.backupId,
      atMs: clock.now(),
      recoveryMs: restored.durationMs,
      bytes: restored.totalBytes,
      bytesPerSecond: (restored.totalBytes / Math.max(restored.durationMs, 1)) * 1000,
      partitions: restored.partitions.length,
      findings,
    }
    await record(repository.target, report, clock)
    return report
  } finally {
    await removeDurably(nodeFileSystem, scratch)
  }
}

/** Numbers only: what it found may name topics. */
async function record(target: Target, report: DrillReport, clock: Clock): Promise<void> {
  const { findings, ...figures } = report
  const text = JSON.stringify({ ...figures, findings: findings.length })
  const time = String(Math.floor(clock.now())).padStart(16, '0')
  const key = `${drillsPrefix}${time}-${randomBytes(4).toString('hex')}.json`
  await target.put(key, Buffer.from(`${text}\n`))
}
