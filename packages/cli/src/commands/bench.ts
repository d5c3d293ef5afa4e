import {
  asDiskFull,
  type Conditions,
  consumerHeader,
  consumerTotalLine,
  endToEndLines,
  type Measurement,
  measurementLines,
  producerTotalLine,
  type RunKind,
  taskLine,
} from '@varve/bench'
import type {
  BackupRunArguments,
  BenchOptions,
  CompactRunOptions,
  ConsumeRunOptions,
  EndToEndRunOptions,
  ProduceRunOptions,
  RecoverRunOptions,
} from '../bench/bench-options.ts'
import { printResult } from '../bench/bench-output.ts'
import { runConsumers } from '../bench/consume-run.ts'
import { removingWhatIsMade } from '../bench/made-directories.ts'
import { type RecordRun, runRates, writeHistograms } from '../bench/record-runs.ts'
import { backupTask, compactTask, recoverTask, type TaskRun } from '../bench/task-runs.ts'
import { type CommandIo, exitCodes } from '../command-io.ts'

type Work<Result> = (io: CommandIo) => Promise<Result>

/** Sends records; ends with the line of kafka-producer-perf-test. */
export async function benchProduce(options: ProduceRunOptions, io: CommandIo): Promise<number> {
  const closing = (one: Measurement) => [producerTotalLine(one)]
  const work: Work<RecordRun> = (ended) => runRates(options, null, ended)
  const { measurements } = await records('produce', work, closing, options, io)
  writeHistograms(options, measurements)
  return exitCodes.fine
}

/** Reads records; ends with the two lines of kafka-consumer-perf-test. */
export async function benchConsume(options: ConsumeRunOptions, io: CommandIo): Promise<number> {
  const closing = (one: Measurement) => [consumerHeader, consumerTotalLine(one)]
  await records('consume', (ended) => runConsumers(options, ended), closing, options, io)
  return exitCodes.fine
}

/** Sends and reads records; ends with the lines of kafka-e2e-latency and the producer's. */
export async function benchEndToEnd(options: EndToEndRunOptions, io: CommandIo): Promise<number> {
  const closing = (one: Measurement) => [producerTotalLine(one), ...endToEndLines(one)]
  const work: Work<RecordRun> = (ended) => runRates(options, options, ended)
  const { measurements } = await records('end-to-end', work, closing, options, io)
  writeHistograms(options, measurements)
  return exitCodes.fine
}

/** Recovers a torn log, beside reading and checking it bare. */
export function benchRecover(options: RecoverRunOptions, io: CommandIo): Promise<number> {
  return tasks('recover', (ended) => recoverTask(options, ended), options, io)
}

/** Compacts a log of keyed records. */
export function benchCompact(options: CompactRunOptions, io: CommandIo): Promise<number> {
  return tasks('compact', (ended) => compactTask(options, ended), options, io)
}

/** Backs a log up, verifies the repository and restores it. */
export function benchBackup(options: BackupRunArguments, io: CommandIo): Promise<number> {
  return tasks('backup', (ended) => backupTask(options, ended), options, io)
}

/** What Kafka's tools do not tell comes first, so that the last lines are those of theirs. */
async function records(
  kind: RunKind,
  work: Work<RecordRun>,
  closing: (measurement: Measurement) => readonly string[],
  options: BenchOptions,
  io: CommandIo,
): Promise<RecordRun> {
  return await removingWhatIsMade([options.data], async () => {
    const startedMs = io.clock.now()
    const run = await perform(work, options, io)
    const { measurements, conditions, notes } = run
    const lines = measurements.flatMap((one) => {
      const head = measurements.length > 1 ? ['', rateText(one)] : []
      return [...head, ...measurementLines(one), ...closing(one)]
    })
    const result = { kind, startedMs, conditions, measurements, notes }
    await printResult(result, options, [conditionsText(conditions), ...lines], io)
    return run
  })
}

async function tasks(
  kind: RunKind,
  work: Work<TaskRun>,
  options: BenchOptions & { readonly repository?: string | null },
  io: CommandIo,
): Promise<number> {
  return await removingWhatIsMade([options.data, options.repository ?? null], async () => {
    const startedMs = io.clock.now()
    const { tasks: figures, conditions } = await perform(work, options, io)
    const lines = figures.flatMap((task) => {
      const details = Object.keys(task.details).length === 0 ? [] : [conditionsText(task.details)]
      return [taskLine(task), ...details.map((text) => `  ${text}`)]
    })
    const result = { kind, startedMs, conditions, tasks: figures }
    await printResult(result, options, [conditionsText(conditions), ...lines], io)
    return exitCodes.fine
  })
}

/** Ended by Ctrl-C, or by a terminal that is closed: a scratch directory goes then, too. */
async function perform<Result>(
  work: Work<Result>,
  { data }: BenchOptions,
  io: CommandIo,
): Promise<Result> {
  const hungUp = new AbortController()
  const release = io.onHangUp(() => hungUp.abort())
  try {
    return await work({ ...io, signal: AbortSignal.any([io.signal, hungUp.signal]) })
  } catch (error) {
    throw asDiskFull(error, data)
  } finally {
    release()
  }
}

function rateText({ rate }: Measurement): string {
  return rate === null ? 'flat out' : `${rate} records/s`
}

function conditionsText(conditions: Conditions): string {
  return Object.entries(conditions)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      const text = typeof value === 'number' ? Number(value.toPrecision(12)) : value
      return `${name} ${text}`
    })
    .join('; ')
}
