import { realpathSync, writeFileSync } from 'node:fs'
import {
  BenchPlace,
  type Conditions,
  histogramLog,
  histogramText,
  isCluster,
  keysOf,
  type Measurement,
  messageBytesFor,
  type Payload,
  type ProducingLoad,
  producerIntervalLine,
  requireRoom,
  runEndToEnd,
  runProducing,
  type SendingPlan,
  unmetRateNote,
} from '@varve/bench'
import type { CommandIo } from '../command-io.ts'
import { batchBytesOf, checkPoll, checkRecordRun, checkSending } from './bench-checks.ts'
import type { EndToEndRunOptions, ProduceRunOptions, RecordRunOptions } from './bench-options.ts'
import { checkOutputs, machineDirectory } from './bench-output.ts'
import { payloadFor } from './bench-payload.ts'
import { RunSupport } from './run-support.ts'
import { tellingWhatStays } from './what-stays.ts'

/** A run of records, with what there is to say of it. */
export interface RecordRun {
  readonly measurements: readonly Measurement[]
  readonly conditions: Conditions
  readonly notes: readonly string[]
}

const defaultSeconds = 10

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
  return await tellingWhatStays(options, async () => {
    await using place = await openPlace(options, payload)
    if (options.records !== null) {
      await requireRoomFor(place, payload, options.records * options.rates.length)
    }
    using run = new RunSupport(io, options, place.directory, producerIntervalLine)
    const measurements = await atEachRate(options, endToEnd, { place, payload, run })
    if (measurements.length === 0) throw run.endedEarly()
    if (options.keep) run.notes.push(`kept: the topic ${place.topic} in ${place.address}`)
    const conditions = {
      ...conditionsOf(options, payload, place),
      ...sendingOf(options),
      ...ratesOf(options),
    }
    return { measurements, conditions, notes: run.notes }
  })
}

async function atEachRate(
  options: ProduceRunOptions,
  endToEnd: EndToEndRunOptions | null,
  {
    place,
    payload,
    run,
  }: { readonly place: BenchPlace; readonly payload: Payload; readonly run: RunSupport },
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = []
  for (const rate of options.rates) {
    if (options.rates.length > 1) run.lines.say(rate < 0 ? 'flat out' : `${rate} records/s`)
    const plan = planOf(options, rate)
    const load = loadOf(options, payload, options)
    const measurement =
      endToEnd === null
        ? await runProducing(place, load, plan, run.context)
        : await runEndToEnd(place, load, plan, run.context, {
            consumerIn: endToEnd.otherProcess ? 'another process' : 'this process',
            pollMs: endToEnd.poll,
          })
    if (measurement.records > 0) measurements.push(measurement)
    const note = unmetRateNote(measurement)
    if (note !== null) run.notes.push(note)
    if (run.context.signal?.aborted === true) break
  }
  return measurements
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

/** Rejects with BenchDiskFullError. */
export async function requireRoomFor(
  { directory }: BenchPlace,
  { values }: Payload,
  records: number,
): Promise<void> {
  if (directory === null) return
  const valueBytes = values.reduce((sum, { length }) => sum + length, 0) / values.length
  await requireRoom(directory, records * (valueBytes + 8))
}

export function loadOf(
  options: RecordRunOptions,
  payload: Payload,
  { acks, linger, producers }: Pick<ProduceRunOptions, 'acks' | 'linger' | 'producers'>,
): ProducingLoad {
  const { compression, seed } = options
  const batchBytes = batchBytesOf(options.batchSize)
  const nextKey = keysOf({ distribution: options.keys, range: options.keyRange, seed })
  const sending = { acks, compression, lingerMs: linger, batchBytes }
  return { payload, nextKey, producers, sending }
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
  const { compression, batchSize, warmup, keys } = options
  return {
    on: directory === null ? 'a Kafka cluster' : realpathSync(options.data),
    payload: payload.description,
    keys: keys === 'none' ? keys : `${keys} over ${options.keyRange}`,
    partitions,
    compression,
    batchBytes: batchBytesOf(batchSize),
    warmUpSeconds: warmup,
    seed: options.seed,
  }
}

function sendingOf({ acks, linger, inFlight, producers }: ProduceRunOptions): Conditions {
  return { producers, inFlight, acks, lingerMs: linger }
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

/** Of several rates, each file has its rate behind its name. */
export function writeHistograms(
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
