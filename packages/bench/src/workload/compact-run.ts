import { Cleaner, type CompactionStats } from '@varve/cleaner'
import { type FileSystem, LogDirectory, type LogOptions, nodeFileSystem } from '@varve/log'
import { removeTree } from '@varve/log/files'
import type { NextKey } from '../payload/key-distribution.ts'
import type { Payload } from '../payload/payload.ts'
import type { TaskFigure } from '../report/run-report.ts'
import { BenchFailedError } from './bench-errors.ts'
import { benchLog, type FilledLog, fillLog, fittingLog } from './bench-log.ts'
import { ScratchDirectory } from './bench-place.ts'
import { requireRoom } from './disk-room.ts'
import { checkRepeat, type TaskContext, taskFigure, timed } from './task-timing.ts'

export interface CompactOptions {
  /** In which a scratch directory is made, and removed. */
  readonly directory: string
  readonly payload: Payload
  /** Makes the keys; anew for each repeat. */
  readonly keys: () => NextKey
  readonly records: number
  readonly segmentBytes: number
  readonly fs?: FileSystem
}

/** Compacts a log of keyed records by a worker, until nothing is left to do. */
export async function runCompaction(
  options: CompactOptions,
  context: TaskContext,
): Promise<readonly TaskFigure[]> {
  const { directory, fs = nodeFileSystem, payload, segmentBytes } = options
  const log = fittingLog(payload, { segmentBytes, acks: 'none' })
  checkRepeat(context.repeat)
  // What is cleaned stands beside the rest until it takes its place.
  await requireRoom(directory, 2 * bytesOf(options), fs)
  await using scratch = await ScratchDirectory.make(directory, { fs })
  const seconds: number[] = []
  let last: { readonly stats: CompactionStats; readonly filled: FilledLog } | null = null
  for (let round = 1; round <= context.repeat; round++) {
    const data = `${scratch.path}/data-${round}`
    context.onProgress(`writing the log (${round} of ${context.repeat})`)
    const filled = await fill(data, log, options, context)
    context.onProgress(`compacting (${round} of ${context.repeat})`)
    const { stats, seconds: taken } = await compact(data, log, context)
    seconds.push(taken)
    last = { stats, filled }
    await removeTree(fs, data)
  }
  if (last === null) return []
  const { stats, filled } = last
  const details = {
    outputBytes: stats.outputBytes,
    outputRecords: stats.outputRecords,
    keys: stats.keys,
    mapBytesPerKey: stats.keys === 0 ? 0 : stats.mapBytes / stats.keys,
    logBytes: filled.bytes,
  }
  const facts = { bytes: stats.inputBytes, records: stats.inputRecords }
  return [taskFigure({ name: 'compaction', ...facts, details }, seconds)]
}

/** About. */
function bytesOf({ payload: { values }, records }: CompactOptions): number {
  const valueBytes = values.reduce((sum, { length }) => sum + length, 0)
  return records * (valueBytes / values.length + 24)
}

function fill(
  data: string,
  log: LogOptions,
  { payload, keys, records }: CompactOptions,
  { signal }: TaskContext,
): Promise<FilledLog> {
  return fillLog(data, {
    payload,
    nextKey: keys(),
    until: { records },
    log,
    ...(signal !== undefined && { signal }),
    // The active segment is not compacted: what was written is to be sealed.
    atEnd: async (log) => void (await log.roll()),
  })
}

async function compact(
  data: string,
  log: LogOptions,
  context: TaskContext,
): Promise<{ readonly stats: CompactionStats; readonly seconds: number }> {
  await using directory = await LogDirectory.open(data, { log })
  const policy = () => ({ cleanupPolicy: ['compact'] as const })
  await using cleaner = new Cleaner(directory, { policy, workers: 1 })
  let stats: CompactionStats | undefined
  const seconds = await timed(context, async () => {
    const { compaction } = await cleaner.runOnce()
    stats = compaction.get(benchLog.name)?.stats
  })
  const [failure] = cleaner.failures.values()
  if (failure !== undefined) throw failure.error
  if (stats === undefined) throw new BenchFailedError('there was nothing to compact')
  return { stats, seconds }
}
