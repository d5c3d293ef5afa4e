import { type FileSystem, LogDirectory, type LogOptions, nodeFileSystem } from '@varve/log'
import {
  cleanShutdownFileName,
  listSegments,
  recoveryPointCheckpointFileName,
  replaceSmallFile,
  scanBatches,
} from '@varve/log/files'
import type { Batch } from '@varve/record'
import type { Payload } from '../payload/payload.ts'
import type { TaskFigure } from '../report/run-report.ts'
import { bareScan } from './bare-scan.ts'
import { BenchFailedError } from './bench-errors.ts'
import { benchLog, type FilledLog, fillLog } from './bench-log.ts'
import { ScratchDirectory } from './bench-place.ts'
import { requireRoom } from './disk-room.ts'
import { checkRepeat, type TaskContext, taskFigure, timed } from './task-timing.ts'

export interface RecoverOptions {
  /** In which a scratch directory is made, and removed. */
  readonly directory: string
  readonly payload: Payload
  /** Of the log. It has a segment, or several where one cannot hold so much. */
  readonly sizeBytes: number
  readonly batchBytes: number
  /**
   * What was known to be flushed. `end`: everything but the last batch, the usual crash. `start`:
   * nothing, so that all of it is also written again and flushed.
   */
  readonly recoveryPoint: 'start' | 'end'
  readonly fs?: FileSystem
}

/** How much of the last batch a crash has torn off. */
const tornBytes = 37

/** Recovers a log that ends in the midst of a batch, beside reading and checking it bare. */
export async function runRecovery(
  options: RecoverOptions,
  context: TaskContext,
): Promise<readonly TaskFigure[]> {
  const { directory, fs = nodeFileSystem, recoveryPoint } = options
  checkRepeat(context.repeat)
  await requireRoom(directory, options.sizeBytes, fs)
  await using scratch = await ScratchDirectory.make(directory, { fs })
  const data = `${scratch.path}/data`
  const log = {
    segmentBytes: 2 ** 31 - 1,
    batchBytes: options.batchBytes,
    acks: 'written',
  } as const
  const filled = await fill(data, options, log, context)
  const bare: number[] = []
  const recovered: number[] = []
  const rewrites = recoveryPoint === 'start'
  let scannedBytes = 0
  for (let round = 1; round <= context.repeat; round++) {
    context.onProgress(`recovering (${round} of ${context.repeat})`)
    await tear(fs, data, recoveryPoint)
    bare.push(await timed(context, () => bareScan(fs, `${data}/${benchLog.name}`, rewrites)))
    const opened = await openTorn(data, log, context)
    recovered.push(opened.seconds)
    scannedBytes = opened.scannedBytes
  }
  const details = { recoveryPoint, scannedBytes, tornBytes }
  const facts = { bytes: scannedBytes, records: filled.records }
  return [
    taskFigure({ name: 'recovery', ...facts, details }, recovered),
    taskFigure(
      {
        name: rewrites ? 'bare: read, check, write, flush' : 'bare: read and check',
        ...facts,
        details: {},
      },
      bare,
    ),
  ]
}

function fill(
  data: string,
  { payload, sizeBytes }: RecoverOptions,
  log: LogOptions,
  { onProgress, signal }: TaskContext,
): Promise<FilledLog> {
  return fillLog(data, {
    payload,
    nextKey: () => null,
    until: { bytes: sizeBytes },
    log,
    ...(signal !== undefined && { signal }),
    onProgress: (bytes) => onProgress(`writing the log, ${Math.floor(bytes / 1e6)} MB`),
  })
}

/** Makes of a log that was closed one whose process, or machine, died in the midst of a write. */
async function tear(fs: FileSystem, data: string, point: 'start' | 'end'): Promise<void> {
  const segments = listSegments(fs, `${data}/${benchLog.name}`)
  const last = segments.at(-1)
  if (last === undefined) return
  const digest = last.path.replace(/\.log$/, '.digest')
  for (const path of [`${data}/${cleanShutdownFileName}`, digest]) {
    if (fs.stat(path) !== null) await fs.remove(path)
  }
  const recoveryPoint = point === 'start' ? 0 : await lastBatchOffset(fs, last.path)
  const checkpoint = `0\n1\n${benchLog.topic} ${benchLog.partition} ${recoveryPoint}\n`
  const checkpointPath = `${data}/${recoveryPointCheckpointFileName}`
  await replaceSmallFile(fs, checkpointPath, Buffer.from(checkpoint))
  const file = fs.open(last.path, 'write')
  try {
    file.truncate(file.sizeBytes() - tornBytes)
    await file.datasync()
  } finally {
    file.close()
  }
}

/** The base offset of the last batch of a segment. */
async function lastBatchOffset(fs: FileSystem, path: string): Promise<number> {
  const file = fs.open(path, 'read')
  try {
    let offset = 0
    const visit = (batch: Batch): boolean => {
      offset = batch.baseOffset
      return true
    }
    await scanBatches(file, visit, { validate: false })
    return offset
  } finally {
    file.close()
  }
}

async function openTorn(
  data: string,
  log: LogOptions,
  context: TaskContext,
): Promise<{ readonly seconds: number; readonly scannedBytes: number }> {
  let opened: LogDirectory | null = null
  const seconds = await timed(context, async () => {
    opened = await LogDirectory.open(data, { log })
  })
  await using directory = opened as unknown as LogDirectory
  const { recoveryReport } = directory.log(benchLog.topic, benchLog.partition)
  if (recoveryReport.cut === null) throw new BenchFailedError('the torn batch was not cut')
  return { seconds, scannedBytes: recoveryReport.scannedBytes }
}
