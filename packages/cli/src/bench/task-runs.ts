import {
  type Conditions,
  keysOf,
  type Payload,
  runBackups,
  runCompaction,
  runRecovery,
  type TaskContext,
  type TaskFigure,
} from '@varve/bench'
import { systemClock } from '@varve/log'
import { type CommandIo, InterruptedError } from '../command-io.ts'
import { requireCount } from '../option-checks.ts'
import { batchBytesOf, checkKeys, segmentBytesOf } from './bench-checks.ts'
import type {
  BackupRunArguments,
  CompactRunOptions,
  RecoverRunOptions,
  TaskRunOptions,
} from './bench-options.ts'
import { checkOutputs, localDirectory } from './bench-output.ts'
import { payloadFor } from './bench-payload.ts'
import { parseByteSize } from './byte-size.ts'

/** Between lines of progress where there is no terminal. */
const plainLinesMs = 5000

/** Something done as a whole, with what there is to say of it. */
export interface TaskRun {
  readonly tasks: readonly TaskFigure[]
  readonly conditions: Conditions
}

export async function recoverTask(options: RecoverRunOptions, io: CommandIo): Promise<TaskRun> {
  const { recoveryPoint } = options
  const sizeBytes = parseByteSize('--size', options.size)
  const batchBytes = batchBytesOf(options.batchSize)
  const payload = payloadFor(options, options.seed)
  const { segmentSize } = options
  const segmentBytes = segmentSize === null ? null : segmentBytesOf(segmentSize, payload)
  checkTask(options)
  const directory = localDirectory('--data', options.data)
  const shape = { sizeBytes, ...(segmentBytes !== null && { segmentBytes }), batchBytes }
  const given = { directory, payload, ...shape, recoveryPoint }
  const tasks = await run(options, io, (context) => runRecovery(given, context))
  return {
    tasks,
    conditions: conditionsOf(options, payload, { ...shape, recoveryPoint }),
  }
}

export async function compactTask(options: CompactRunOptions, io: CommandIo): Promise<TaskRun> {
  const { keys: distribution, keyRange: range, versions, seed } = options
  requireCount('versions', versions, 1)
  checkKeys(options)
  const records = range * versions
  requireCount('versions', records, 1)
  const payload = payloadFor(options, seed)
  const segmentBytes = segmentBytesOf(options.segmentSize, payload)
  checkTask(options)
  const directory = localDirectory('--data', options.data)
  const keys = () => keysOf({ distribution, range, seed })
  keys()
  const given = { directory, payload, keys, records, segmentBytes }
  const tasks = await run(options, io, (context) => runCompaction(given, context))
  const own = { keys: `${distribution} over ${range}`, versions, records, segmentBytes }
  return { tasks, conditions: conditionsOf(options, payload, own) }
}

export async function backupTask(options: BackupRunArguments, io: CommandIo): Promise<TaskRun> {
  const { repository, encrypt: isEncrypted } = options
  const sizeBytes = parseByteSize('--size', options.size)
  const payload = payloadFor(options, options.seed)
  const segmentBytes = segmentBytesOf(options.segmentSize, payload)
  checkTask(options)
  const given = {
    directory: localDirectory('--data', options.data),
    ...(repository !== null && { repository: localDirectory('--repository', repository) }),
    ...{ payload, sizeBytes, segmentBytes, isEncrypted },
  }
  const tasks = await run(options, io, (context) => runBackups(given, context))
  const own = { sizeBytes, segmentBytes, encrypted: isEncrypted, repository }
  return { tasks, conditions: conditionsOf(options, payload, own) }
}

/** Throws InvalidArgumentError. */
function checkTask({ repeat, report }: TaskRunOptions): void {
  requireCount('repeat', repeat, 1)
  checkOutputs({ report })
}

async function run(
  { repeat }: TaskRunOptions,
  io: CommandIo,
  work: (context: TaskContext) => Promise<readonly TaskFigure[]>,
): Promise<readonly TaskFigure[]> {
  const { signal } = io
  const onProgress = progressOf(io)
  try {
    return await work({ clock: systemClock, repeat, onProgress, signal })
  } catch (error) {
    throw signal.aborted ? new InterruptedError() : error
  } finally {
    onProgress('')
  }
}

/** On a terminal one line that is written over; elsewhere a line now and then. */
function progressOf({ stderr, clock }: CommandIo): (text: string) => void {
  let toldMs = clock.monotonic()
  return (text) => {
    if (stderr.isTerminal) stderr.write(`\r\u001b[K${text}`).catch(() => undefined)
    else if (text !== '' && clock.monotonic() - toldMs >= plainLinesMs) {
      toldMs = clock.monotonic()
      stderr.write(`${text}\n`).catch(() => undefined)
    }
  }
}

function conditionsOf(
  { repeat, seed, data }: TaskRunOptions,
  payload: Payload,
  own: Conditions,
): Conditions {
  const state = 'what is read was written by the run, and may lie in the page cache'
  return {
    in: localDirectory('--data', data),
    payload: payload.description,
    repeat,
    seed,
    state,
    ...own,
  }
}
