import { exportToSqlite, importToDirectory, openExport } from '@varve/backup'
import { completeImport } from '@varve/broker'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatBytes, formatDuration, formatRate } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'
import { type HistoryAccess, withHistory } from './history-source.ts'

export interface ExportCommandOptions extends HistoryAccess {
  /** The database that is made. */
  readonly to: string
  /** Empty: all. */
  readonly topics: readonly string[]
  readonly json: boolean
}

/** Exports a backup, or a data directory as it is now, into an SQLite database. */
export async function exportRecords(options: ExportCommandOptions, io: CommandIo): Promise<number> {
  const { to, topics, json } = options
  const report = await withHistory(options, async ({ history, settings, groups, totalBytes }) => {
    const progress = new Progress(io, { activity: 'exporting', totalBytes })
    try {
      return await exportToSqlite(history, to, {
        settings: settings as ReadonlyMap<string, object>,
        groups: await groups(),
        ...(topics.length > 0 && { select: (topic: string) => topics.includes(topic) }),
        signal: io.signal,
        clock: io.clock,
        onProgress: ({ doneBytes, totalBytes: all }) => {
          progress.update(all === 0 ? 0 : Math.round((doneBytes / all) * (totalBytes ?? all)))
        },
      })
    } finally {
      progress.clear()
    }
  })
  const lines = new LineOutput(io.stdout)
  if (json) lines.json(report)
  else {
    const { records, durationMs, sizeBytes, gaps } = report
    const what = `${formatAmount(records, 'record')}, ${formatBytes(sizeBytes)}`
    const rate = formatRate(records, 'record', durationMs)
    lines.line(`${what} in ${to} (${formatDuration(durationMs)}, ${rate})`)
    for (const { topic, partition, from, to: end, reason } of gaps) {
      lines.line(`  missing: ${topic}-${partition}, offsets ${from} to ${end}: ${reason}`)
    }
  }
  await lines.flush()
  return report.gaps.length === 0 ? exitCodes.fine : exitCodes.findings
}

export interface ImportCommandOptions {
  /** A database that was exported. */
  readonly from: string
  /** The data directory that is made. */
  readonly to: string
  readonly json: boolean
}

/** Makes a data directory of an exported database: every record at the offset that it had. */
export async function importRecords(options: ImportCommandOptions, io: CommandIo): Promise<number> {
  const { from, to, json } = options
  using exported = await openExport(from)
  const report = await importToDirectory(exported.history, to, {
    complete: (directory, topics) => completeImport(directory, topics, exported),
    signal: io.signal,
    clock: io.clock,
  })
  const lines = new LineOutput(io.stdout)
  if (json) lines.json(report)
  else {
    const { partitions, sizeBytes, durationMs, topics } = report
    const what = `${formatAmount(topics.length, 'topic')}, ${formatAmount(partitions, 'partition')}`
    const size = `${formatBytes(sizeBytes)} in ${formatDuration(durationMs)}`
    lines.line(`${what} imported into ${to} (${size})`)
  }
  await lines.flush()
  return exitCodes.fine
}
