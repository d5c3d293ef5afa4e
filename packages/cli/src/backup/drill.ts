import { BackupCatalogue, drillRestore, type Repository } from '@varve/backup'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatByteRate, formatBytes, formatDuration } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'
import { withMetricsFile } from './metrics-file.ts'
import { openRepository, type RepositoryAccess } from './repository-access.ts'

export interface BackupDrillOptions extends RepositoryAccess {
  /** Its id, a beginning of it, the name of a point, or `latest`. */
  readonly backup: string
  /** A directory that is made for it, and removed. */
  readonly scratch: string
  /** Prometheus text, for node_exporter. */
  readonly metricsFile?: string | undefined
  readonly json: boolean
}

/** Restores a backup into a scratch directory, checks it, and says how long recovery takes. */
export function drillBackup(options: BackupDrillOptions, io: CommandIo): Promise<number> {
  return withMetricsFile(options.metricsFile, async (metrics) => {
    await using repository = await openRepository(options)
    const code = await drill(repository, options, io)
    await metrics?.look(repository)
    return code
  })
}

async function drill(
  repository: Repository,
  { backup, scratch, json }: BackupDrillOptions,
  io: CommandIo,
): Promise<number> {
  const found = await new BackupCatalogue(repository).find(backup)
  const totalBytes = found.manifest.figures.totalBytes
  const progress = new Progress(io, { activity: 'restoring', totalBytes })
  const report = await drillRestore(repository, found, {
    scratch,
    clock: io.clock,
    signal: io.signal,
    onProgress: ({ doneBytes }) => progress.update(doneBytes),
  })
  progress.clear()
  const lines = new LineOutput(io.stdout)
  if (json) {
    lines.json(report)
  } else {
    const { backupId, bytes, recoveryMs, partitions, findings } = report
    const what = `${formatAmount(partitions, 'partition')}, ${formatBytes(bytes)}`
    const rate = formatByteRate(bytes, recoveryMs)
    lines.line(`${backupId} restored (${what}) in ${formatDuration(recoveryMs)}, ${rate}`)
    for (const finding of findings) lines.line(`  ${finding}`)
    lines.line(findings.length === 0 ? 'it is as it must be' : 'it is not as it must be')
  }
  await lines.flush()
  const { notRecorded } = report
  if (notRecorded !== null) await io.stderr.write(`not noted in the repository: ${notRecorded}\n`)
  return report.findings.length === 0 ? exitCodes.fine : exitCodes.findings
}
