import {
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
import { type RecordRun, runRates } from '../bench/record-runs.ts'
import { backupTask, compactTask, recoverTask, type TaskRun } from '../bench/task-runs.ts'
import { type CommandIo, exitCodes } from '../command-io.ts'

/** Sends records; ends with the line of kafka-producer-perf-test. */
export function benchProduce(options: ProduceRunOptions, io: CommandIo): Promise<number> {
  const work = (): Promise<RecordRun> => runRates(options, null, io)
  return records('produce', work, (one) => [producerTotalLine(one)], options, io)
}

/** Reads records; ends with the two lines of kafka-consumer-perf-test. */
export function benchConsume(options: ConsumeRunOptions, io: CommandIo): Promise<number> {
  const work = (): Promise<RecordRun> => runConsumers(options, io)
  const closing = (one: Measurement) => [consumerHeader, consumerTotalLine(one)]
  return records('consume', work, closing, options, io)
}

/** Sends and reads records; ends with the lines of kafka-e2e-latency and the producer's. */
export function benchEndToEnd(options: EndToEndRunOptions, io: CommandIo): Promise<number> {
  const work = (): Promise<RecordRun> => runRates(options, options, io)
  const closing = (one: Measurement) => [producerTotalLine(one), ...endToEndLines(one)]
  return records('end-to-end', work, closing, options, io)
}

/** Recovers a torn log, beside reading and checking it bare. */
export function benchRecover(options: RecoverRunOptions, io: CommandIo): Promise<number> {
  return tasks('recover', () => recoverTask(options, io), options, io)
}

/** Compacts a log of keyed records. */
export function benchCompact(options: CompactRunOptions, io: CommandIo): Promise<number> {
  return tasks('compact', () => compactTask(options, io), options, io)
}

/** Backs a log up, verifies the repository and restores it. */
export function benchBackup(options: BackupRunArguments, io: CommandIo): Promise<number> {
  return tasks('backup', () => backupTask(options, io), options, io)
}

/** What Kafka's tools do not tell comes first, so that the last lines are those of theirs. */
async function records(
  kind: RunKind,
  work: () => Promise<RecordRun>,
  closing: (measurement: Measurement) => readonly string[],
  options: BenchOptions,
  io: CommandIo,
): Promise<number> {
  const startedMs = io.clock.now()
  const { measurements, conditions, notes } = await work()
  const lines = measurements.flatMap((one) => {
    const head = measurements.length > 1 ? ['', rateText(one)] : []
    return [...head, ...measurementLines(one), ...closing(one)]
  })
  const result = { kind, startedMs, conditions, measurements, notes }
  await printResult(result, options, [conditionsText(conditions), ...lines], io)
  return exitCodes.fine
}

async function tasks(
  kind: RunKind,
  work: () => Promise<TaskRun>,
  options: BenchOptions,
  io: CommandIo,
): Promise<number> {
  const startedMs = io.clock.now()
  const { tasks: figures, conditions } = await work()
  const lines = figures.flatMap((task) => {
    const details = Object.keys(task.details).length === 0 ? [] : [conditionsText(task.details)]
    return [taskLine(task), ...details.map((text) => `  ${text}`)]
  })
  const result = { kind, startedMs, conditions, tasks: figures }
  await printResult(result, options, [conditionsText(conditions), ...lines], io)
  return exitCodes.fine
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
