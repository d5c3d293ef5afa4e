import { readRestoreHold, releaseRetention, Topics } from '@varve/broker'
import {
  Cleaner,
  planLogRetention,
  type RetentionPlan,
  resolveCleaningPolicy,
} from '@varve/cleaner'
import { nodeFileSystem, openLogReadOnly } from '@varve/log'
import {
  type CleaningOptions,
  type CleaningTarget,
  cleaningTargets,
} from '../cleaning/cleaning-targets.ts'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { formatAmount, formatBytes, formatTimestamp } from '../human.ts'
import { LineOutput } from '../output.ts'

/** Shows which segments retention would delete now, and why. Takes no lock, changes nothing. */
export async function planRetention(options: CleaningOptions, io: CommandIo): Promise<number> {
  const lines = new LineOutput(io.stdout)
  for (const target of cleaningTargets(options)) {
    throwIfInterrupted(io)
    say(lines, options, target.name, await planOf(target, io), false)
    await lines.flush()
  }
  if (sayHold(lines, options)) await lines.flush()
  return exitCodes.fine
}

/** Deletes what retention would delete. The data directory must not be open elsewhere. */
export async function runRetention(options: CleaningOptions, io: CommandIo): Promise<number> {
  const lines = new LineOutput(io.stdout)
  if (sayHold(lines, options)) {
    await lines.flush()
    return exitCodes.findings
  }
  const policies = new Map(cleaningTargets(options).map(({ name, policy }) => [name, policy]))
  await using topics = await Topics.open(options.data, {})
  const kept = resolveCleaningPolicy({ cleanupPolicy: [] })
  await using cleaner = new Cleaner(topics.directory, {
    workers: 0,
    clock: io.clock,
    policy: ({ name }) => policies.get(name) ?? kept,
  })
  let hasFailed = false
  for (const [name, log] of topics.directory.logs) {
    if (!policies.has(name)) continue
    throwIfInterrupted(io)
    const plan = await cleaner.retain(log)
    const error = cleaner.failures.get(name)?.error
    if (error !== undefined) hasFailed = true
    if (error === undefined) say(lines, options, name, plan, true)
    else if (options.json) lines.json({ partition: name, error: error.message })
    else lines.line(`${name}: ${error.message}`)
    await lines.flush()
  }
  return hasFailed ? exitCodes.findings : exitCodes.fine
}

/** Lets retention delete again from a data directory that was restored. */
export async function releaseHold(
  options: { readonly data: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const wasHeld = await releaseRetention(options.data)
  const lines = new LineOutput(io.stdout)
  const text = wasHeld ? 'retention goes on' : 'retention was not held'
  if (options.json) lines.json({ data: options.data, wasHeld })
  else lines.line(`${options.data}: ${text}`)
  await lines.flush()
  return exitCodes.fine
}

/** Whether retention is held since a backup was restored: then that is said. */
function sayHold(lines: LineOutput, { data, json }: CleaningOptions): boolean {
  const held = readRestoreHold(nodeFileSystem, data)
  if (held === null) return false
  const since = held.restoredMs === null ? '' : ` since ${formatTimestamp(held.restoredMs)}`
  if (json) lines.json({ held })
  else {
    lines.line(`retention is held${since}, when a backup was restored: nothing is deleted`)
    lines.line(`to end that: varve retention release --data ${data}`)
  }
  return true
}

async function planOf({ path, policy }: CleaningTarget, io: CommandIo): Promise<RetentionPlan> {
  await using log = await openLogReadOnly(path)
  const segments = log.segments()
  const { logStartOffset, highWatermark, logEndOffset } = log
  const retained = {
    logStartOffset,
    highWatermark,
    logEndOffset,
    segmentCount: segments.length,
    sizeBytes: segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    segments: (from = 0, to = segments.length) => segments.slice(from, to),
  }
  return planLogRetention(retained, nodeFileSystem, { policy, nowMs: io.clock.now(), holds: [] })
}

function say(
  lines: LineOutput,
  { json }: CleaningOptions,
  name: string,
  { deletions, decisions }: RetentionPlan,
  isDone: boolean,
): void {
  const segments = deletions.flatMap((deletion) => deletion.segments)
  const sizeBytes = deletions.reduce((sum, deletion) => sum + deletion.sizeBytes, 0)
  if (json) {
    const gone = decisions
      .filter(({ isDeleted }) => isDeleted)
      .map(({ segment, reason }) => ({ ...segment, reason }))
    const deleted = isDone && gone.length > 0
    lines.json({ partition: name, deleted, sizeBytes, segments: gone })
    return
  }
  const what = `${formatAmount(segments.length, 'segment')}, ${formatBytes(sizeBytes)}`
  if (segments.length === 0) lines.line(`${name}: nothing to delete`)
  else lines.line(`${name}: ${what} ${isDone ? 'deleted' : 'would be deleted'}`)
  for (const deletion of deletions) {
    for (const { baseOffset, nextOffset, maxTimestamp, sizeBytes } of deletion.segments) {
      const newest = `newest record ${formatTimestamp(maxTimestamp)}`
      const range = `offsets ${baseOffset} to ${nextOffset - 1}`
      lines.line(`  ${range}, ${formatBytes(sizeBytes)}, ${newest}: ${deletion.reason}`)
    }
  }
}
