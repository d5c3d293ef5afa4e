import { realpathSync, writeFileSync } from 'node:fs'
import {
  BenchPlace,
  bytesToLeave,
  type Conditions,
  histogramLog,
  histogramText,
  isCluster,
  keysOf,
  type Measurement,
  machineClock,
  messageBytesFor,
  type Payload,
  type ProducingLoad,
  type RunContext,
  requireRoom,
  runEndToEnd,
  runProducing,
  type SendingPlan,
} from '@varve/bench'
import { nodeFileSystem } from '@varve/log'
import { type CommandIo, InterruptedError } from '../command-io.ts'
import { batchBytesOf, checkPoll, checkRecordRun, checkSending } from './bench-checks.ts'
import type { EndToEndRunOptions, ProduceRunOptions, RecordRunOptions } from './bench-options.ts'
import { checkOutputs, machineDirectory } from './bench-output.ts'
import { payloadFor } from './bench-payload.ts'
import { IntervalLines } from './interval-lines.ts'

/** A run of records, with what there is to say of it. */
export interface RecordRun {
  readonly measurements: readonly Measurement[]
  readonly conditions: Conditions
  readonly notes: readonly string[]
}

const defaultSeconds = 10

const clusterNote =
  'on a cluster: acks flushed asks for all replicas that are in sync, which flush as their topic ' +
  'is set to; the machine below is that of the client'

/** Sends records, at each rate that was asked for; with `endToEnd` they are consumed too. */
export async function runRates(
  options: ProduceRunOptions,
  endToEnd: EndToEndRunOptions | null,
  io: CommandIo,
): Promise<RecordRun> {
  checkRecordRun(options)
  checkSending(options)
  checkOutputs({ report: options.report, hlog: options.hlog, hgrm: options.hgrm })
  if (endToEnd !== null) checkPoll(endToEnd.poll)
  const payload = payloadFor(options, options.seed)
  await using place = await openPlace(options, payload)
  if (options.records !== null) {
    await requireRoomFor(place, payload, options.records * options.rates.length)
  }
  const run = new RunSupport(io, options, place.directory)
  const measurements: Measurement[] = []
  for (const rate of options.rates) {
    if (options.rates.length > 1) run.lines.say(rate < 0 ? 'flat out' : `${rate} records/s`)
    const plan = planOf(options, rate)
    const load = loadOf(options, payload)
    const measurement =
      endToEnd === null
        ? await runProducing(place, load, plan, run.context)
        : await runEndToEnd(place, load, plan, run.context, {
            consumerIn: endToEnd.otherProcess ? 'another process' : 'this process',
            pollMs: endToEnd.poll,
          })
    if (measurement.records > 0) measurements.push(measurement)
    if (run.context.signal?.aborted === true) break
  }
  if (measurements.length === 0) throw new InterruptedError()
  writeHistograms(options, measurements)
  if (options.keep) run.notes.push(`kept: the topic ${place.topic} in ${place.address}`)
  const conditions = { ...conditionsOf(options, payload, place), ...ratesOf(options) }
  return { measurements, conditions, notes: run.notes }
}

/** What all runs of records have beside them: progress, and a watch on the disk. */
export class RunSupport {
  readonly lines: IntervalLines
  readonly notes: string[] = []
  readonly context: RunContext
  readonly #io: CommandIo
  readonly #full = new AbortController()
  #freeBytesMin: number | null = null

  constructor(io: CommandIo, { interval }: RecordRunOptions, directory: string | null) {
    this.#io = io
    this.lines = new IntervalLines(io, interval)
    const signal = AbortSignal.any([io.signal, this.#full.signal])
    if (directory === null) this.notes.push(clusterNote)
    else void this.#watch(directory)
    io.signal.addEventListener('abort', () => this.notes.push('interrupted: what there was counts'))
    this.context = {
      // The clock of a test, else the machine's: another process may have to subtract.
      clock: machineClock,
      signal,
      onInterval: (measured) => {
        this.lines.add(measured)
        if (directory !== null) void this.#watch(directory)
      },
    }
  }

  async #watch(directory: string): Promise<void> {
    const free = await nodeFileSystem.freeBytes(directory).catch(() => Number.POSITIVE_INFINITY)
    // The first look says what there was.
    this.#freeBytesMin ??= Number.isFinite(free) ? bytesToLeave(free) : null
    if (free >= (this.#freeBytesMin ?? 0)) return
    if (this.#full.signal.aborted || this.#io.signal.aborted) return
    this.notes.push('ended early: the disk is nearly full')
    this.#full.abort()
  }
}

/** Where the run takes place, with a topic that takes its records. */
export function openPlace(options: RecordRunOptions, payload: Payload): Promise<BenchPlace> {
  const { data, topic, existing, keep, partitions } = options
  const maxMessageBytes = messageBytesFor(payload, batchBytesOf(options.batchSize))
  const isLarge = maxMessageBytes > 2 ** 20
  const address = isCluster(data) ? data : machineDirectory(data)
  const topicSettings = { partitions, ...(isLarge && { maxMessageBytes }) }
  return BenchPlace.open({ address, topic, existing, keep, topicSettings })
}

/** Rejects with BenchFailedError. */
export async function requireRoomFor(
  { directory }: BenchPlace,
  { values }: Payload,
  records: number,
): Promise<void> {
  if (directory === null) return
  const valueBytes = values.reduce((sum, { length }) => sum + length, 0) / values.length
  await requireRoom(directory, records * (valueBytes + 8))
}

export function loadOf(options: RecordRunOptions, payload: Payload): ProducingLoad {
  const { acks, compression, linger: lingerMs, producers, seed } = options
  const batchBytes = batchBytesOf(options.batchSize)
  const nextKey = keysOf({ distribution: options.keys, range: options.keyRange, seed })
  return { payload, nextKey, producers, sending: { acks, compression, lingerMs, batchBytes } }
}

function planOf(options: ProduceRunOptions, rate: number): SendingPlan {
  const { records, pacing, inFlight, warmup } = options
  const seconds = secondsOf(options)
  const durationMs = seconds === null ? null : seconds * 1000
  const plan = { pacing, inFlight, warmUpMs: warmup * 1000, durationMs, records }
  return { ...plan, rate: rate === -1 ? null : rate }
}

export function conditionsOf(
  options: RecordRunOptions,
  payload: Payload,
  { partitions, directory }: Pick<BenchPlace, 'partitions' | 'directory'>,
): Conditions {
  const { acks, compression, linger, batchSize, inFlight, producers, warmup, keys } = options
  return {
    on: directory === null ? 'a Kafka cluster' : realpathSync(options.data),
    payload: payload.description,
    keys: keys === 'none' ? keys : `${keys} over ${options.keyRange}`,
    partitions,
    producers,
    inFlight,
    acks,
    compression,
    lingerMs: linger,
    batchBytes: batchBytesOf(batchSize),
    warmUpSeconds: warmup,
    seed: options.seed,
  }
}

/** Null where the number of records ends the run. */
function secondsOf({ duration, records }: ProduceRunOptions): number | null {
  return duration ?? (records === null ? defaultSeconds : null)
}

function ratesOf(options: ProduceRunOptions): Conditions {
  const { rates, records, pacing } = options
  const isPaced = rates.some((rate) => rate !== -1)
  return { durationSeconds: secondsOf(options), records, ...(isPaced && { pacing }) }
}

function writeHistograms(
  { hlog, hgrm }: ProduceRunOptions,
  measurements: readonly Measurement[],
): void {
  const several = measurements.length > 1
  for (const measurement of measurements) {
    const { rate, startedMs, intervals, histogram } = measurement
    const mark = several ? `.${rate ?? 'flat-out'}` : ''
    if (hlog !== null) writeFileSync(hlog + mark, histogramLog(startedMs, intervals))
    if (hgrm !== null && histogram !== null) {
      writeFileSync(hgrm + mark, histogramText(histogram))
    }
  }
}
