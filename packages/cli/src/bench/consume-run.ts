import {
  BenchFailedError,
  BenchPlace,
  consumerIntervalLine,
  isCluster,
  type Measurement,
  producerIntervalLine,
  type ReadablePlace,
  readablePlace,
  runConsuming,
  runProducing,
  type SendingPlan,
  withReader,
} from '@varve/bench'
import { InvalidArgumentError } from '@varve/record'
import type { CommandIo } from '../command-io.ts'
import { requireCount } from '../option-checks.ts'
import { checkRecordRun } from './bench-checks.ts'
import type { ConsumeRunOptions } from './bench-options.ts'
import { checkOutputs } from './bench-output.ts'
import { payloadFor } from './bench-payload.ts'
import { parseByteSize } from './byte-size.ts'
import { conditionsOf, loadOf, openPlace, type RecordRun, requireRoomFor } from './record-runs.ts'
import { RunSupport } from './run-support.ts'

const defaultRecords = 500_000
/** Beyond what a run produces beforehand for itself, nobody waits for each record. */
const fillingPlan: Omit<SendingPlan, 'records'> = {
  rate: null,
  pacing: 'timer',
  warmUpMs: 0,
  durationMs: null,
  inFlight: 4096,
}
const fillingLoad = { acks: 'written', linger: 0, producers: 1 } as const

/** Reads a topic: one of its own, which it fills first, or one that is there. */
export async function runConsumers(options: ConsumeRunOptions, io: CommandIo): Promise<RecordRun> {
  checkRecordRun(options)
  checkOutputs({ report: options.report })
  requireCount('consumers', options.consumers, 1)
  const { topic, group, existing, data } = options
  if (topic !== null && group !== null && !existing) {
    const rule = 'commits offsets of its own: say --existing to let it'
    throw new InvalidArgumentError('--group', group, rule)
  }
  const fetchBytes = parseByteSize('--fetch-size', options.fetchSize)
  const read = async (place: ReadablePlace, run: RunSupport): Promise<Measurement> => {
    const { consumers, records, warmup } = options
    const load = { consumers, group, records, fetchBytes, warmUpMs: warmup * 1000 }
    return await runConsuming(place, load, run.context)
  }
  if (topic === null) return await ofOwnTopic(options, io, read)
  const isRead = group === null && !isCluster(data)
  return isRead ? await beside(options, topic, io, read) : await ofTopic(options, io, read)
}

type Read = (place: ReadablePlace, run: RunSupport) => Promise<Measurement>

async function ofOwnTopic(
  options: ConsumeRunOptions,
  io: CommandIo,
  read: Read,
): Promise<RecordRun> {
  const payload = payloadFor(options, options.seed)
  await using place = await openPlace(options, payload)
  const records = options.records ?? defaultRecords
  await requireRoomFor(place, payload, records)
  const { directory } = place
  {
    using filling = new RunSupport(io, options, directory, producerIntervalLine)
    filling.lines.say(`producing ${records} records to be read`)
    await runProducing(
      place,
      loadOf(options, payload, fillingLoad),
      { ...fillingPlan, records },
      filling.context,
    )
    if (filling.context.signal.aborted) throw filling.endedEarly()
  }
  using run = new RunSupport(io, options, directory, consumerIntervalLine)
  run.lines.say('consuming')
  const measurement = await read(readablePlace(place), run)
  if (options.keep) run.notes.push(`kept: the topic ${place.topic} in ${place.address}`)
  const filled = conditionsOf(options, payload, place)
  return finished(options, measurement, filled, run)
}

/** One that is there, without a lock and without writing anything. */
async function beside(
  options: ConsumeRunOptions,
  topic: string,
  io: CommandIo,
  read: Read,
): Promise<RecordRun> {
  const { data } = options
  return await withReader(data, topic, async (place) => {
    using run = new RunSupport(io, options, data, consumerIntervalLine)
    const { partitions } = place
    return finished(options, await read(place, run), { on: data, topic, partitions }, run)
  })
}

/** One that is there, in the name of a group, or on a cluster. */
async function ofTopic(options: ConsumeRunOptions, io: CommandIo, read: Read): Promise<RecordRun> {
  const { data: address, topic } = options
  await using place = await BenchPlace.open({ address, topic, readOnly: true })
  using run = new RunSupport(io, options, place.directory, consumerIntervalLine)
  const { partitions } = place
  const measurement = await read(readablePlace(place), run)
  return finished(options, measurement, { on: address, topic, partitions }, run)
}

function finished(
  { consumers, group, fetchSize, warmup }: ConsumeRunOptions,
  measurement: Measurement,
  of: RecordRun['conditions'],
  run: RunSupport,
): RecordRun {
  if (measurement.records === 0) {
    if (run.context.signal.aborted) throw run.endedEarly()
    throw new BenchFailedError('there was nothing to consume')
  }
  const { notes } = run
  const conditions = {
    ...of,
    consumers,
    group,
    fetchBytes: parseByteSize('--fetch-size', fetchSize),
    warmUpSeconds: warmup,
  }
  return { measurements: [measurement], conditions, notes }
}
