import { resolve } from 'node:path'
import {
  BackupCatalogue,
  finishSwap,
  type RestoreReport,
  restoreBackup,
  undoRestore,
} from '@varve/backup'
import { restoreHooks } from '@varve/broker'
import { nodeFileSystem } from '@varve/log'
import { openRepository, type RepositoryAccess } from '../backup/repository-access.ts'
import { pointOf, type RestoreWishes, renamesOf, selectionOf } from '../backup/restore-wishes.ts'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatByteRate, formatBytes, formatDuration } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'

export interface RestoreCommandOptions extends RepositoryAccess, RestoreWishes {
  /** The data directory that is made. */
  readonly to: string
  /** Id, a beginning of it, the name of a point, or `latest`. */
  readonly backup: string
  readonly inPlace: boolean
  readonly dryRun: boolean
  readonly allowDamage: boolean
  readonly holdRetention: boolean
  readonly threads?: number | undefined
  /** Bytes a second; 0 for no limit. */
  readonly readLimit: number
  readonly json: boolean
}

/** Restores a backup into a data directory. */
export async function restoreData(options: RestoreCommandOptions, io: CommandIo): Promise<number> {
  const { to, backup, threads } = options
  const [point, select, rename] = [pointOf(options), selectionOf(options), renamesOf(options)]
  await using repository = await openRepository(options)
  const found = await new BackupCatalogue(repository).find(backup)
  const progress = new Progress(io, { activity: 'restoring', totalBytes: null })
  const report = await restoreBackup(repository, found, {
    to,
    isInPlace: options.inPlace,
    isDryRun: options.dryRun,
    allowsDamage: options.allowDamage,
    holdsRetention: options.holdRetention,
    point,
    readBytesPerSecond: options.readLimit,
    clock: io.clock,
    signal: io.signal,
    hooks: restoreHooks(),
    onProgress: ({ doneBytes, totalBytes, leftMs }) => {
      const left = leftMs === null ? '' : `${formatDuration(leftMs)} left`
      progress.update(doneBytes, `of ${formatBytes(totalBytes)} ${left}`)
    },
    ...(select !== null && { select }),
    ...(rename !== null && { rename }),
    ...(threads !== undefined && { threads }),
  })
  progress.clear()
  const lines = new LineOutput(io.stdout)
  if (options.json) lines.json({ dryRun: options.dryRun, ...report })
  else say(lines, report, options)
  await lines.flush()
  return report.gaps.length === 0 ? exitCodes.fine : exitCodes.findings
}

function say(
  lines: LineOutput,
  report: RestoreReport,
  { dryRun, holdRetention }: RestoreCommandOptions,
): void {
  const { backupId, to, partitions, totalBytes, gaps, notes, replaced, durationMs } = report
  for (const { name, logStartOffset, endOffset } of partitions) {
    lines.line(`${name}  offsets ${logStartOffset} to before ${endOffset}`)
  }
  const what = `${formatAmount(partitions.length, 'partition')}, ${formatBytes(totalBytes)}`
  if (dryRun) {
    lines.line(`${backupId} would be restored into ${to} (${what}); nothing was changed`)
    return
  }
  const took = `in ${formatDuration(durationMs)}, ${formatByteRate(totalBytes, durationMs)}`
  lines.line(`${backupId} is restored into ${to} (${what}) ${took}`)
  for (const note of notes) lines.line(`  ${note}`)
  for (const { topic, partition, from, to: end, reason } of gaps) {
    const place = `${topic}-${partition}, offsets ${from} to before ${end}`
    lines.line(`  not in the backup: ${place}: ${reason}`)
  }
  if (replaced !== null) lines.line(`what was there is kept in ${replaced}; --undo puts it back`)
  if (holdRetention) {
    lines.line(`retention deletes nothing there until 'varve retention release --data ${to}'`)
  }
}

/** Completes a restore that was cut short as it took its place. */
export async function finishData(
  options: { readonly to: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const isFinished = await finishSwap(nodeFileSystem, resolve(options.to))
  const lines = new LineOutput(io.stdout)
  if (options.json) lines.json({ to: options.to, finished: isFinished })
  else lines.line(isFinished ? `${options.to} is restored` : `nothing is to finish there`)
  await lines.flush()
  return exitCodes.fine
}

/** Puts back what a restore replaced. */
export async function undoData(
  options: { readonly to: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  await undoRestore(nodeFileSystem, resolve(options.to))
  const lines = new LineOutput(io.stdout)
  if (options.json) lines.json({ to: options.to, undone: true })
  else lines.line(`${options.to} is as it was before it was restored`)
  await lines.flush()
  return exitCodes.fine
}
