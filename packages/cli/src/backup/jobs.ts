import {
  type BackupGap,
  type BackupReport,
  backupChannels,
  DirectorySource,
  type KeepPolicy,
  type Repository,
  runBackup,
} from '@varve/backup'
import { VarveError } from '@varve/record'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatByteRate, formatBytes, formatDuration } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'
import type { MetricsFile } from './metrics-file.ts'
import { openRepository, type RepositoryAccess, targetNameOf } from './repository-access.ts'
import { pruneOpened } from './upkeep.ts'

/** A backup that is to be taken. */
export interface BackupJob extends RepositoryAccess {
  readonly data: string
  readonly kind: 'full' | 'incremental' | 'differential'
  readonly independent: boolean
  readonly point?: string | undefined
  readonly tags: readonly string[]
  /** The name under which the source's backups are kept. */
  readonly source: string
  readonly threads?: number | undefined
  /** Bytes a second; 0 for no limit. */
  readonly readLimit: number
  readonly uploadLimit: number
  /** What goes when the backup is there, and whole. */
  readonly pruning?: { readonly policy: KeepPolicy; readonly graceMs: number } | undefined
}

export interface JobsOptions {
  readonly json: boolean
  readonly metrics: MetricsFile | null
}

/**
 * Takes backups one after the other. One that fails does not keep the next from being taken: it is
 * said on stderr, or with `json` in its place. Resolves to the worst exit code. Rejects when the
 * user ends it, and with what nobody foresaw.
 */
export async function runJobs(
  jobs: readonly BackupJob[],
  options: JobsOptions,
  io: CommandIo,
): Promise<number> {
  let worst: number = exitCodes.fine
  for (const job of jobs) {
    try {
      worst = Math.max(worst, await runJob(job, options, io))
    } catch (error) {
      if (jobs.length === 1 || io.signal.aborted || !isForeseen(error)) throw error
      worst = exitCodes.failure
      await sayFailed(job, error, options.json, io)
    } finally {
      await options.metrics?.write()
    }
  }
  return worst
}

/** Takes one backup, and resolves to the exit code that says how it went. */
export async function runJob(
  job: BackupJob,
  { json, metrics }: JobsOptions,
  io: CommandIo,
): Promise<number> {
  await using repository = await openFor(job)
  const lines = new LineOutput(io.stdout)
  const report = await take(repository, job, io)
  const isWhole = report.gaps.length === 0 && report.findings.length === 0
  say(lines, report, job.repository, json)
  if (job.pruning !== undefined && isWhole) {
    const { removed, swept } = await pruneOpened(repository, job.pruning, io)
    if (json) lines.json({ repository: job.repository, removed, swept })
    else if (removed.length > 0) lines.line(`  ${formatAmount(removed.length, 'backup')} pruned`)
  }
  await metrics?.look(repository)
  await lines.flush()
  return isWhole ? exitCodes.fine : exitCodes.findings
}

/** What keeps a repository from being opened keeps its backup from being taken. */
async function openFor(job: BackupJob): Promise<Repository> {
  const { source } = job
  const repository = targetNameOf(job.repository)
  try {
    return await openRepository(job)
  } catch (error) {
    backupChannels.failure.publish({ repository, source, error })
    throw error
  }
}

async function take(repository: Repository, job: BackupJob, io: CommandIo): Promise<BackupReport> {
  const { data, kind, independent, point, tags, source, threads } = job
  const activity = `backing up to ${repository.target.name},`
  const progress = new Progress(io, { activity, totalBytes: null })
  try {
    return await runBackup(repository, new DirectorySource(data), {
      kind,
      isIndependent: independent,
      tags,
      source,
      readBytesPerSecond: job.readLimit,
      uploadBytesPerSecond: job.uploadLimit,
      clock: io.clock,
      signal: io.signal,
      onProgress: ({ doneBytes, totalBytes, leftMs }) => {
        const left = leftMs === null ? '' : `${formatDuration(leftMs)} left`
        progress.update(doneBytes, `of ${formatBytes(totalBytes)} ${left}`)
      },
      ...(point !== undefined && { point }),
      ...(threads !== undefined && { threads }),
    })
  } finally {
    progress.clear()
  }
}

/** What the world did, and what was asked for; else it is a mistake of ours. */
export function isForeseen(error: unknown): error is Error & { readonly code?: string } {
  return error instanceof VarveError || (error instanceof Error && 'syscall' in error)
}

/** Says that there is no backup, and why. */
export async function sayFailed(
  { repository }: BackupJob,
  error: Error & { readonly code?: string },
  json: boolean,
  io: CommandIo,
): Promise<void> {
  const { code = null, message } = error
  if (json) {
    const lines = new LineOutput(io.stdout)
    lines.json({ repository, error: { code, message } })
    await lines.flush()
    return
  }
  const hint = error instanceof VarveError && error.hint !== undefined ? `  ${error.hint}\n` : ''
  await io.stderr.write(`${repository}: no backup: ${message}\n${hint}`)
}

function say(lines: LineOutput, report: BackupReport, repository: string, json: boolean): void {
  if (json) {
    lines.json({ repository, ...report })
    return
  }
  const { backupId, kind, partitions, segments, figures, gaps, findings, warnings } = report
  const { readBytes, newObjects, newBytes, totalBytes, durationMs } = figures
  const what = `${formatAmount(partitions, 'partition')}, ${formatAmount(segments, 'segment')}`
  lines.line(`${backupId}  ${kind}, ${what}, ${formatBytes(totalBytes)} in ${repository}`)
  const rate = formatByteRate(readBytes, durationMs)
  const took = `in ${formatDuration(durationMs)}${readBytes > 0 ? ` (${rate})` : ''}`
  const added = `${formatBytes(newBytes)} new in ${formatAmount(newObjects, 'object')}`
  lines.line(`  ${formatBytes(readBytes)} read ${took}, ${added}`)
  for (const gap of gaps) lines.line(`  missing: ${placeOf(gap)}`)
  for (const finding of findings) lines.line(`  damaged in the source: ${placeOf(finding)}`)
  for (const warning of warnings) lines.line(`  ${warning}`)
}

function placeOf({ topic, partition, from, to, reason }: BackupGap): string {
  return `${topic}-${partition}, offsets ${from} to before ${to}: ${reason}`
}
