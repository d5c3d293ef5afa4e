import {
  acceptLoss,
  BackupCatalogue,
  noteVerification,
  type Repository,
  type RepositoryFinding,
  TargetError,
  type VerifyRepositoryReport,
  verifyRepository,
} from '@varve/backup'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatByteRate, formatBytes, formatDuration } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'
import { withMetricsFile } from './metrics-file.ts'
import { openRepository, type RepositoryAccess } from './repository-access.ts'

export interface BackupVerifyOptions extends RepositoryAccess {
  /** Ids, points or `latest`; empty: all. */
  readonly backups: readonly string[]
  /** The part of the objects that is read: 1 for all. */
  readonly fraction: number
  /** Only what backups since then need, in ms since the epoch. */
  readonly sinceMs?: number | undefined
  /** Ids of backups that are gone, and known to be. */
  readonly acceptLost?: readonly string[] | undefined
  readonly threads?: number | undefined
  readonly readLimit: number
  /** Prometheus text, for node_exporter. */
  readonly metricsFile?: string | undefined
  readonly json: boolean
}

/** Proves that backups can be restored, and notes those of which every byte was found sound. */
export function verifyBackups(options: BackupVerifyOptions, io: CommandIo): Promise<number> {
  return withMetricsFile(options.metricsFile, async (metrics) => {
    await using repository = await openRepository(options)
    const code = await verify(repository, options, io)
    await metrics?.look(repository)
    return code
  })
}

async function verify(
  repository: Repository,
  options: BackupVerifyOptions,
  io: CommandIo,
): Promise<number> {
  const { fraction, sinceMs, threads, readLimit, json } = options
  const catalogue = new BackupCatalogue(repository)
  const chosen = []
  for (const wanted of options.backups) chosen.push((await catalogue.find(wanted)).name)
  for (const backupId of options.acceptLost ?? []) {
    await acceptLoss(repository, backupId, { clock: io.clock })
  }
  const atMs = io.clock.now()
  const progress = new Progress(io, { activity: 'verifying', totalBytes: null })
  const report = await verifyRepository(repository, {
    fraction,
    readBytesPerSecond: readLimit,
    clock: io.clock,
    signal: io.signal,
    onProgress: ({ doneBytes, totalBytes, leftMs }) => {
      const left = leftMs === null ? '' : `${formatDuration(leftMs)} left`
      progress.update(doneBytes, `of ${formatBytes(totalBytes)} ${left}`)
    },
    ...(chosen.length > 0 && { backups: chosen }),
    ...(sinceMs !== undefined && { newSinceMs: sinceMs }),
    ...(threads !== undefined && { threads }),
  })
  progress.clear()
  const lines = new LineOutput(io.stdout)
  if (json) lines.json(report)
  else say(lines, report)
  await lines.flush()
  const isWhole = fraction >= 1 && sinceMs === undefined
  await note(repository, report, { atMs, isWhole }).catch(async (error: unknown) => {
    // What was found is as true where nothing can be written, as on a copy that is read-only.
    if (!(error instanceof TargetError)) throw error
    await io.stderr.write(`not noted in the repository: ${error.message}\n`)
  })
  // Nothing is proven by looking at nothing.
  const isProven = report.backups > 0 && report.findings.length === 0
  return isProven ? exitCodes.fine : exitCodes.findings
}

/** Leaves in the repository which backups are sound, where all of them was read, and which not. */
async function note(
  { target, keys }: Repository,
  { sound, findings }: VerifyRepositoryReport,
  { atMs, isWhole }: { readonly atMs: number; readonly isWhole: boolean },
): Promise<void> {
  const { idKey } = keys.naming
  for (const backupId of isWhole ? sound : []) {
    await noteVerification(target, idKey, { backupId, atMs, isSound: true })
  }
  for (const backupId of new Set(findings.map((finding) => finding.backupId))) {
    if (backupId === null) continue
    await noteVerification(target, idKey, { backupId, atMs, isSound: false })
  }
}

function say(lines: LineOutput, report: VerifyRepositoryReport): void {
  const { backups, readObjects, seenObjects, readBytes, durationMs, findings } = report
  for (const finding of findings) lines.line(textOf(finding))
  const seen = seenObjects > 0 ? `, ${formatAmount(seenObjects, 'object')} only looked for` : ''
  const read = `${formatAmount(readObjects, 'object')} (${formatBytes(readBytes)}) read${seen}`
  const rate = formatByteRate(readBytes, durationMs)
  lines.line(
    `${formatAmount(backups, 'backup')}: ${read} in ${formatDuration(durationMs)}, ${rate}`,
  )
  if (backups === 0) lines.line('there is no backup here')
  else if (findings.length === 0) lines.line('all is sound')
  else lines.line(formatAmount(findings.length, 'finding'))
}

function textOf({ code, backupId, key, records, message }: RepositoryFinding): string {
  const place =
    records === null
      ? key
      : `${records.topic}-${records.partition}, offsets ${records.from} to before ${records.to}`
  return `${code}: ${backupId ?? 'the repository'}: ${place}: ${message}`
}
