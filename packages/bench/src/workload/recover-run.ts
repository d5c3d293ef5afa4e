import {
  type File,
  type FileSystem,
  LogDirectory,
  type LogOptions,
  nodeFileSystem,
} from '@varve/log'
import {
  cleanShutdownFileName,
  listSegments,
  recoveryPointCheckpointFileName,
  replaceSmallFile,
  scanBatches,
} from '@varve/log/files'
import type { Batch, Offset } from '@varve/record'
import type { Payload } from '../payload/payload.ts'
import type { TaskFigure } from '../report/run-report.ts'
import { type BareScanned, bareScan } from './bare-scan.ts'
import { BenchFailedError } from './bench-errors.ts'
import { benchLog, type FilledLog, fillLog, fittingLog } from './bench-log.ts'
import { ScratchDirectory } from './bench-place.ts'
import { requireRoom } from './disk-room.ts'
import { checkRepeat, type TaskContext, taskFigure, timed } from './task-timing.ts'

export interface RecoverOptions {
  /** In which a scratch directory is made, and removed. */
  readonly directory: string
  readonly payload: Payload
  /** Of the log. */
  readonly sizeBytes: number
  /** Of its segments. @defaultValue 2^31 - 1, the most that one can hold */
  readonly segmentBytes?: number
  readonly batchBytes: number
  /**
   * What was known to be flushed. `end`: everything but the last batch, the usual crash: the last
   * segment is read. `start`: nothing, so that all segments are read, written again and flushed.
   */
  readonly recoveryPoint: 'start' | 'end'
  readonly fs?: FileSystem
}

const segmentBytesMax = 2 ** 31 - 1
/** How much of the last batch a crash has torn off. */
const tornBytes = 37

/**
 * Recovers a log that ends in the midst of a batch, beside reading and checking the same segments
 * bare. Rejects with InvalidArgumentError and BenchFailedError.
 */
export async function runRecovery(
  options: RecoverOptions,
  context: TaskContext,
): Promise<readonly TaskFigure[]> {
  const { directory, fs = nodeFileSystem, recoveryPoint } = options
  checkRepeat(context.repeat)
  const { payload, segmentBytes = segmentBytesMax, batchBytes } = options
  const log = fittingLog(payload, { segmentBytes, batchBytes, acks: 'written' })
  await requireRoom(directory, options.sizeBytes, fs)
  await using scratch = await ScratchDirectory.make(directory, { fs })
  const data = `${scratch.path}/data`
  await fill(data, options, log, context)
  const crash = await Crash.of(fs, data, recoveryPoint)
  const rewrites = recoveryPoint === 'start'
  const bare: number[] = []
  const recovered: number[] = []
  let last: Scanned | null = null
  for (let round = 1; round <= context.repeat; round++) {
    context.onProgress(`recovering (${round} of ${context.repeat})`)
    await crash.happen()
    let scan: BareScanned | null = null
    const { fromOffset } = crash
    bare.push(
      await timed(context, async () => {
        scan = await bareScan(fs, `${data}/${benchLog.name}`, { fromOffset, rewrites })
      }),
    )
    const opened = await openTorn(data, log, context)
    recovered.push(opened.seconds)
    last = sameBytes(opened, scan)
  }
  return last === null ? [] : figures(last, { recoveryPoint, bare, recovered })
}

interface Recovered {
  readonly seconds: number
  readonly segments: number
  readonly scannedSegments: number
  readonly scannedBytes: number
  readonly endOffset: Offset
}

interface Scanned extends Recovered {
  readonly scan: BareScanned
}

/** Rejects what would compare one thing with another. */
function sameBytes(opened: Recovered, scan: BareScanned | null): Scanned {
  if (scan !== null && scan.readBytes === opened.scannedBytes) return { ...opened, scan }
  const bytes = `${opened.scannedBytes} bytes, the loop beside it ${scan?.readBytes}`
  throw new BenchFailedError(`recovery read ${bytes}`)
}

function figures(
  { scannedBytes: bytes, scannedSegments, segments, endOffset, scan }: Scanned,
  taken: Pick<RecoverOptions, 'recoveryPoint'> & {
    readonly bare: readonly number[]
    readonly recovered: readonly number[]
  },
): readonly TaskFigure[] {
  const { recoveryPoint } = taken
  const facts = { bytes, records: endOffset - scan.baseOffset }
  const details = { recoveryPoint, segments, scannedSegments, scannedBytes: bytes, tornBytes }
  const { segments: readSegments, readBytes } = scan
  const bareDetails = { segments, readSegments, readBytes }
  const name = recoveryPoint === 'start' ? 'read, check, write, flush' : 'read and check'
  return [
    taskFigure({ name: 'recovery', ...facts, details }, taken.recovered),
    taskFigure({ name: `bare: ${name}`, ...facts, details: bareDetails }, taken.bare),
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
class Crash {
  /** The recovery point that it leaves. */
  readonly fromOffset: Offset
  readonly #fs: FileSystem
  readonly #data: string
  readonly #path: string
  readonly #position: number
  /** What is there of the last batch: recovery takes it away, and the next crash needs it. */
  readonly #torn: Buffer

  private constructor(fs: FileSystem, data: string, path: string, last: LastBatch, from: Offset) {
    this.#fs = fs
    this.#data = data
    this.#path = path
    this.#position = last.position
    this.#torn = last.bytes.subarray(0, last.bytes.length - tornBytes)
    this.fromOffset = from
  }

  static async of(fs: FileSystem, data: string, point: 'start' | 'end'): Promise<Crash> {
    const path = listSegments(fs, `${data}/${benchLog.name}`).at(-1)?.path
    const last = path === undefined ? null : await lastBatchOf(fs, path)
    if (path === undefined || last === null) throw new BenchFailedError('the log is empty')
    return new Crash(fs, data, path, last, point === 'start' ? 0 : last.baseOffset)
  }

  async happen(): Promise<void> {
    const [fs, data] = [this.#fs, this.#data]
    const digest = this.#path.replace(/\.log$/, '.digest')
    for (const path of [`${data}/${cleanShutdownFileName}`, digest]) {
      if (fs.stat(path) !== null) await fs.remove(path)
    }
    const checkpoint = `0\n1\n${benchLog.topic} ${benchLog.partition} ${this.fromOffset}\n`
    const checkpointPath = `${data}/${recoveryPointCheckpointFileName}`
    await replaceSmallFile(fs, checkpointPath, Buffer.from(checkpoint))
    const file = fs.open(this.#path, 'write')
    try {
      file.truncate(this.#position)
      file.writeSync(this.#torn, this.#position)
      await file.datasync()
    } finally {
      file.close()
    }
  }
}

interface LastBatch {
  readonly baseOffset: Offset
  readonly position: number
  readonly bytes: Buffer
}

async function lastBatchOf(fs: FileSystem, path: string): Promise<LastBatch | null> {
  const file = fs.open(path, 'read')
  try {
    let found: { readonly baseOffset: Offset; readonly position: number } | null = null
    const visit = ({ baseOffset, position }: Batch): boolean => {
      found = { baseOffset, position }
      return true
    }
    // Their checksums are about to be looked at often enough.
    await scanBatches(file, visit, { validate: false })
    return found === null ? null : withBytes(file, found)
  } finally {
    file.close()
  }
}

function withBytes(file: File, found: Omit<LastBatch, 'bytes'>): LastBatch {
  const bytes = Buffer.alloc(file.sizeBytes() - found.position)
  file.readSync(bytes, found.position)
  return { ...found, bytes }
}

async function openTorn(data: string, log: LogOptions, context: TaskContext): Promise<Recovered> {
  let opened: LogDirectory | null = null
  const seconds = await timed(context, async () => {
    opened = await LogDirectory.open(data, { log })
  })
  await using directory = opened as unknown as LogDirectory
  const { recoveryReport } = directory.log(benchLog.topic, benchLog.partition)
  if (recoveryReport.cut === null) throw new BenchFailedError('the torn batch was not cut')
  const { segments, scannedSegments, scannedBytes, logEndOffset: endOffset } = recoveryReport
  return { seconds, segments, scannedSegments, scannedBytes, endOffset }
}
