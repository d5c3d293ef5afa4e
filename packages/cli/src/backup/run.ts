import { type BackupGap, type BackupReport, DirectorySource, runBackup } from '@varve/backup'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatByteRate, formatBytes, formatDuration } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'
import { openRepository, type RepositoryAccess } from './repository-access.ts'

export interface BackupRunOptions extends Omit<RepositoryAccess, 'repository'> {
  readonly data: string
  /** One or more; each gets a backup of its own. */
  readonly repositories: readonly string[]
  readonly kind: 'full' | 'incremental' | 'differential'
  readonly independent: boolean
  readonly point?: string | undefined
  readonly tags: readonly string[]
  /** The name under which the source's backups are kept. */
  readonly source?: string | undefined
  readonly threads?: number | undefined
  /** Bytes a second; 0 for no limit. */
  readonly readLimit: number
  readonly uploadLimit: number
  readonly json: boolean
}

/** Takes a backup of a data directory, which another process may have open. */
export async function backUpData(options: BackupRunOptions, io: CommandIo): Promise<number> {
  let code: number = exitCodes.fine
  const lines = new LineOutput(io.stdout)
  for (const repository of options.repositories) {
    const report = await backUpTo(repository, options, io)
    say(lines, report, repository, options.json)
    await lines.flush()
    if (report.gaps.length > 0 || report.findings.length > 0) code = exitCodes.findings
  }
  return code
}

async function backUpTo(
  address: string,
  options: BackupRunOptions,
  io: CommandIo,
): Promise<BackupReport> {
  const { data, kind, independent, point, tags, source, threads } = options
  await using repository = await openRepository({ ...options, repository: address })
  const activity = `backing up to ${repository.target.name},`
  const progress = new Progress(io, { activity, totalBytes: null })
  try {
    return await runBackup(repository, new DirectorySource(data), {
      kind,
      isIndependent: independent,
      tags,
      readBytesPerSecond: options.readLimit,
      uploadBytesPerSecond: options.uploadLimit,
      clock: io.clock,
      signal: io.signal,
      onProgress: ({ doneBytes, totalBytes, leftMs }) => {
        const left = leftMs === null ? '' : `${formatDuration(leftMs)} left`
        progress.update(doneBytes, `of ${formatBytes(totalBytes)} ${left}`)
      },
      ...(point !== undefined && { point }),
      ...(source !== undefined && { source }),
      ...(threads !== undefined && { threads }),
    })
  } finally {
    progress.clear()
  }
}

function say(lines: LineOutput, report: BackupReport, repository: string, json: boolean): void {
  if (json) {
    lines.json({ repository, ...report })
    return
  }
  const { backupId, kind, partitions, segments, figures, gaps, findings, warnings } = report
  const { readBytes, newObjects, newBytes, totalBytes, durationMs } = figures
  const what = `${formatAmount(partitions, 'partition')}, ${formatAmount(segments, 'segment')}`
  lines.line(`${backupId}  ${kind}, ${what}, ${formatBytes(totalBytes)}`)
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
