import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Topics } from '@varve/broker'
import {
  Cleaner,
  type CompactionPlan,
  type CompactionProgressEvent,
  type CompactionStats,
  cleanerChannels,
  resolveCleaningPolicy,
  surveyCompaction,
} from '@varve/cleaner'
import { nodeFileSystem, openLogReadOnly } from '@varve/log'
import { cleanerOffsetCheckpointFileName, OffsetCheckpointFile } from '@varve/log/files'
import { type CleaningOptions, cleaningTargets } from '../cleaning/cleaning-targets.ts'
import { type CommandIo, exitCodes, InterruptedError, throwIfInterrupted } from '../command-io.ts'
import { formatAmount, formatBytes } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'

const mapBytes = 128 * 2 ** 20

/**
 * Shows what compaction would remove and gain, by reading as it would. Takes no lock, changes
 * nothing.
 */
export async function planCompaction(options: CleaningOptions, io: CommandIo): Promise<number> {
  const lines = new LineOutput(io.stdout)
  const checkpoint = `${options.data}/${cleanerOffsetCheckpointFileName}`
  const cleaned = new OffsetCheckpointFile(nodeFileSystem, checkpoint).readOrEmpty()
  const targets = cleaningTargets(options).filter(({ policy }) => {
    return policy.cleanupPolicy.includes('compact')
  })
  if (targets.length === 0 && !options.json) lines.line('No topic has cleanup.policy=compact.')
  for (const { name, path, policy } of targets) {
    throwIfInterrupted(io)
    await using log = await openLogReadOnly(path)
    const totalBytes = log.segments().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const progress = new Progress(io, { activity: 'reading', totalBytes })
    const { plan, stats } = await surveyCompaction(log, {
      policy,
      cleanedOffset: cleaned.get(name) ?? null,
      mapBytes,
      fs: nodeFileSystem,
      clock: io.clock,
      signal: io.signal,
      onProgress: (doneBytes) => progress.update(doneBytes),
    })
    progress.clear()
    sayPlan(lines, options, name, plan, stats)
    await lines.flush()
  }
  await lines.flush()
  return exitCodes.fine
}

export interface RunCompactionOptions extends CleaningOptions {
  /** Also logs that are not due. */
  readonly all: boolean
}

/** Compacts the logs that are due. The data directory must not be open elsewhere. */
export async function runCompaction(options: RunCompactionOptions, io: CommandIo): Promise<number> {
  const policies = new Map(cleaningTargets(options).map(({ name, policy }) => [name, policy]))
  await using topics = await Topics.open(options.data, {})
  const kept = resolveCleaningPolicy({ cleanupPolicy: [] })
  await using cleaner = new Cleaner(topics.directory, {
    clock: io.clock,
    mapBytes,
    policy: ({ name }) => {
      const policy = policies.get(name) ?? kept
      // Retention is another verb's.
      const cleanupPolicy = policy.cleanupPolicy.filter((one) => one === 'compact')
      return { ...policy, cleanupPolicy, ...(options.all && { minCleanableDirtyRatio: 0 }) }
    },
  })
  const progress = new Progress(io, { activity: 'rewriting', totalBytes: null })
  const listen = (event: unknown): void => {
    const { log, phase, doneBytes } = event as CompactionProgressEvent
    if (phase === 'rewriting') progress.update(doneBytes, log)
  }
  subscribe(cleanerChannels.progress.name, listen)
  const report = await cleaner
    .runOnce({ signal: io.signal })
    .catch((error: unknown) => {
      throw io.signal.aborted ? new InterruptedError() : error
    })
    .finally(() => unsubscribe(cleanerChannels.progress.name, listen))
  progress.clear()
  const lines = new LineOutput(io.stdout)
  for (const [name, { rounds, stats }] of report.compaction) {
    if (options.json) lines.json({ partition: name, compacted: true, rounds, ...stats })
    else lines.line(`${name}: ${gainOf(stats, 'compacted')}`)
  }
  for (const [name, { error }] of cleaner.failures) {
    if (options.json) lines.json({ partition: name, error: error.message })
    else lines.line(`${name}: ${error.message}`)
  }
  const isIdle = report.compaction.size === 0 && cleaner.failures.size === 0
  if (isIdle && !options.json) lines.line('No log is due. --all compacts those that are not, too.')
  await lines.flush()
  return cleaner.failures.size > 0 ? exitCodes.findings : exitCodes.fine
}

function sayPlan(
  lines: LineOutput,
  { json }: CleaningOptions,
  name: string,
  plan: CompactionPlan,
  stats: CompactionStats | null,
): void {
  const { segments, ...facts } = plan
  if (json) {
    lines.json({ partition: name, ...facts, segments: segments.length, gain: stats })
    return
  }
  const due = plan.reason === null ? 'not due' : `due (${plan.reason})`
  const dirty = `${formatBytes(plan.dirtyBytes)} of it dirty (${Math.round(plan.dirtyRatio * 100)} %)`
  lines.line(`${name}: ${due}; ${formatAmount(segments.length, 'segment')}, ${dirty}`)
  if (stats !== null) lines.line(`  ${gainOf(stats, 'would be compacted')}`)
}

function gainOf(stats: CompactionStats, verb: string): string {
  const { inputBytes, outputBytes, inputRecords, outputRecords } = stats
  const gone = formatAmount(inputRecords - outputRecords, 'record')
  const sizes = `${formatBytes(inputBytes)} ${verb} to ${formatBytes(outputBytes)}`
  return `${sizes}; ${gone} of ${formatAmount(inputRecords, 'record')} removed`
}
