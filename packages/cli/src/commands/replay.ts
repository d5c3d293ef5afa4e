import {
  type ReplayFilter,
  type ReplayOptions,
  type ReplayReport,
  replayHistory,
} from '@varve/backup'
import {
  openVarve,
  type SaslOptions,
  type TopicSettings,
  type Varve,
  VarveReplaySink,
} from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'
import { type HistoryAccess, type OpenHistory, withHistory } from '../backup/history-source.ts'
import { readPassphrase } from '../backup/repository-access.ts'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { parseStartingPoint } from '../consume/starting-point.ts'
import { formatAmount, formatDuration, formatRate } from '../human.ts'
import { requireCount } from '../option-checks.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'

export interface ReplayCommandOptions extends HistoryAccess {
  /** A data directory, or `kafka://host:9092`. */
  readonly to: string
  /** Empty: all. */
  readonly topics: readonly string[]
  /** Each `old=new`. */
  readonly renames: readonly string[]
  readonly keys: readonly string[]
  /** Each `name` or `name=value`. */
  readonly headers: readonly string[]
  readonly since: string | undefined
  readonly until: string | undefined
  readonly fromOffset: number | undefined
  readonly toOffset: number | undefined
  /** Whether groups' offsets are moved along. */
  readonly withGroups: boolean
  readonly leavesOutOpen: boolean
  /** Whether topics that are made have the source's retention at once. */
  readonly keepsRetention: boolean
  readonly map: string | undefined
  readonly saslMechanism: SaslOptions['mechanism'] | undefined
  readonly user: string | undefined
  readonly passwordFile: string | undefined
  readonly json: boolean
}

/** Replays records into a live data directory, or into a Kafka cluster. */
export async function replayRecords(options: ReplayCommandOptions, io: CommandIo): Promise<number> {
  const report = await withHistory(options, async (opened) => {
    const filter = filterOf(options)
    const { sourceId } = opened.history
    const { map = `varve-replay-${sourceId.replace(/\W/g, '').slice(0, 8)}.jsonl` } = options
    const groups = options.withGroups ? await opened.groups() : []
    await using varve = await openTarget(options, io)
    await using sink = new VarveReplaySink(varve, {
      name: options.to,
      settings: opened.settings as ReadonlyMap<string, TopicSettings>,
      holdsRetention: !options.keepsRetention,
    })
    const progress = progressOf(opened, io)
    const replaying: ReplayOptions = {
      ...{ map, groups, filter, signal: io.signal, clock: io.clock },
      ...(options.topics.length > 0 && {
        select: (topic: string) => options.topics.includes(topic),
      }),
      rename: pairsOf(options.renames),
      openTransactions: options.leavesOutOpen ? 'leave-out' : 'stop',
      onProgress: progress.onProgress,
    }
    try {
      return await replayHistory(opened.history, sink, replaying)
    } finally {
      progress.clear()
    }
  })
  const lines = new LineOutput(io.stdout)
  if (options.json) lines.json(report)
  else printReport(report, options, lines)
  await lines.flush()
  return report.gaps.length === 0 ? exitCodes.fine : exitCodes.findings
}

/** The source's offsets, shown as the share of its bytes that they are. */
function progressOf({ totalBytes }: OpenHistory, io: CommandIo) {
  const progress = new Progress(io, { activity: 'replaying', totalBytes })
  const onProgress: NonNullable<ReplayOptions['onProgress']> = ({ doneBytes, totalBytes: all }) => {
    progress.update(all === 0 ? 0 : Math.round((doneBytes / all) * (totalBytes ?? all)))
  }
  return { onProgress, clear: () => progress.clear() }
}

function openTarget(options: ReplayCommandOptions, io: CommandIo): Promise<Varve> {
  const { to, saslMechanism: mechanism, user: username, passwordFile } = options
  if (mechanism === undefined) return openVarve(to, { cleaning: false, clock: io.clock })
  if (username === undefined || passwordFile === undefined) {
    throw new InvalidArgumentError(
      '--sasl-mechanism',
      mechanism,
      'needs --user and --password-file',
    )
  }
  const sasl = { mechanism, username, password: readPassphrase(passwordFile) }
  return openVarve(to, { cleaning: false, clock: io.clock, cluster: { sasl } })
}

function filterOf(options: ReplayCommandOptions): ReplayFilter {
  const { keys, headers, since, until, fromOffset, toOffset } = options
  requireCount('from-offset', fromOffset ?? null, 0)
  requireCount('to-offset', toOffset ?? null, 0)
  return {
    ...(keys.length > 0 && { keys: keys.map((key) => Buffer.from(key)) }),
    ...(headers.length > 0 && { headers: headers.map(headerOf) }),
    ...(since !== undefined && { since: timeOf('--since', since) }),
    ...(until !== undefined && { until: timeOf('--until', until) }),
    ...(fromOffset !== undefined && { fromOffset }),
    ...(toOffset !== undefined && { toOffset }),
  }
}

function headerOf(text: string): { readonly key: string; readonly value: Buffer | null } {
  const at = text.indexOf('=')
  if (at < 0) return { key: text, value: null }
  return { key: text.slice(0, at), value: Buffer.from(text.slice(at + 1)) }
}

function timeOf(option: string, text: string): number {
  const point = parseStartingPoint(option, text)
  if (typeof point === 'object' && 'timestamp' in point) return point.timestamp
  throw new InvalidArgumentError(option, text, 'must be a time such as 2026-11-21T08:30Z')
}

function pairsOf(renames: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    renames.map((text) => {
      const [from = '', to = '', ...rest] = text.split('=')
      if (from !== '' && to !== '' && rest.length === 0) return [from, to]
      throw new InvalidArgumentError('--rename', text, 'must be old=new')
    }),
  )
}

function printReport(
  report: ReplayReport,
  { keepsRetention }: ReplayCommandOptions,
  lines: LineOutput,
): void {
  const { records, durationMs, transactions, made, groups, clamped, gaps } = report
  const what = `${formatAmount(records, 'record')} replayed`
  const how = `${formatAmount(transactions, 'transaction')}, ${formatDuration(durationMs)}`
  lines.line(`${what} to ${report.to} (${how}, ${formatRate(records, 'record', durationMs)})`)
  for (const { topic, partition, to, reached } of report.partitions) {
    lines.line(`  ${topic}-${partition} to ${to}-${partition}, up to offset ${reached}`)
  }
  lines.line(`map of offsets: ${report.map}`)
  if (made.length > 0) {
    const kept = keepsRetention ? '' : '; they keep everything until their retention is set'
    lines.line(`made: ${made.join(', ')}${kept}`)
  }
  if (groups.length > 0) lines.line(`groups moved: ${groups.join(', ')}`)
  for (const { group, topic, partition, offset, target, reason } of clamped) {
    lines.line(`  ${group}: ${topic}-${partition}, ${offset} is ${target} now: ${reason}`)
  }
  for (const { topic, partition, from, to, reason } of gaps) {
    lines.line(`  missing: ${topic}-${partition}, offsets ${from} to ${to}: ${reason}`)
  }
}
