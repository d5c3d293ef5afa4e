import { InvalidArgumentError } from '@varve/record'
import type { Home } from '../cluster/home.ts'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatBytes, formatCount, formatTimestamp } from '../human.ts'
import { LineOutput, renderTable } from '../output.ts'
import { openStats } from '../stats/stats-source.ts'
import { type DataStats, StatsWatch } from '../stats/stats-watch.ts'

export interface StatsOptions {
  readonly home: Home
  /** Look again and again, until interrupted. */
  readonly watch: boolean
  /** Seconds between two looks. */
  readonly interval: number
  /** Kafka's own topics too. */
  readonly internal: boolean
  readonly json: boolean
}

const clearScreen = '\u001b[H\u001b[2J'

/**
 * Shows topics with records, bytes and what was appended since the last look, and groups with their
 * lag: a table that is redrawn on a terminal, a table or a JSON document for each look elsewhere.
 * Changes nothing, and takes no lock in a directory.
 */
export async function showStats(options: StatsOptions, io: CommandIo): Promise<number> {
  const { home, watch, interval, internal, json } = options
  if (!(interval >= 0.1 && interval <= 86_400)) {
    throw new InvalidArgumentError('--interval', interval, 'must be seconds, 0.1 to 86400')
  }
  await using source = await openStats(home, internal)
  const stats = new StatsWatch(source)
  const lines = new LineOutput(io.stdout)
  for (;;) {
    const now = io.clock.now()
    const seen = await stats.look({ now, monotonic: io.clock.monotonic() })
    if (json) lines.json(seen)
    else {
      if (watch && io.stdout.isTerminal) lines.text(clearScreen)
      for (const line of tablesOf(seen, watch)) lines.line(line)
    }
    await lines.flush()
    if (!watch) {
      const isSound = seen.topics.every(({ errors }) => errors.length === 0)
      return isSound ? exitCodes.fine : exitCodes.findings
    }
    await pause(interval * 1000, io)
    if (io.signal.aborted) return exitCodes.fine
  }
}

function tablesOf({ timestamp, topics, groups }: DataStats, watch: boolean): readonly string[] {
  const lines: string[] = []
  if (watch) lines.push(formatTimestamp(timestamp))
  const right = { align: 'right' } as const
  const columns = [
    { title: 'TOPIC' },
    { title: 'PARTITIONS', ...right },
    { title: 'RECORDS', ...right },
    { title: 'SIZE', ...right },
    ...(watch ? [{ title: 'RECORDS/S', ...right }] : []),
  ]
  const rows = topics.map(({ topic, partitions, records, sizeBytes, recordsPerSecond }) => [
    ...[topic, formatCount(partitions), formatCount(records)],
    sizeBytes === null ? '-' : formatBytes(sizeBytes),
    recordsPerSecond === null ? '-' : formatCount(Math.round(recordsPerSecond)),
  ])
  lines.push(...renderTable(columns, watch ? rows : rows.map((row) => row.slice(0, -1))))
  for (const { errors } of topics) lines.push(...errors)
  if (groups.length > 0) {
    const cells = groups.map(({ group, lag }) => [group, formatCount(lag)])
    lines.push('', ...renderTable([{ title: 'GROUP' }, { title: 'LAG', ...right }], cells))
  }
  if (watch) lines.push('')
  return lines
}

/** Ends early when the user asks for the end. */
function pause(delayMs: number, { clock, signal }: CommandIo): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.setTimer(delayMs, end, { keepsAlive: true })
    signal.addEventListener('abort', end)
  })
}
