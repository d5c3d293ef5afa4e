import { mkdirSync, writeFileSync } from 'node:fs'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold, type Sample } from '../harness/contest.ts'
import type { Bar, Figure, PlotPoint, Unit } from '../harness/figure.ts'
import { payloadOf } from '../harness/payload.ts'
import { type BrokerProcess, startBroker } from '../peers/brokers/broker-process.ts'
import { BrokerUse } from './broker-use.ts'
import type { PayloadFile } from './load.ts'
import { serveVarve } from './served-varve.ts'
import { WireClient } from './wire-client.ts'

/** Each round takes seconds. */
export const repeatOfServers = 3

/** With these Kafka flushes each batch before it acknowledges it; Varve does with acks=all. */
export const flushingTopic: Readonly<Record<string, string>> = { 'flush.messages': '1' }

/** One of the two brokers. */
export interface Subject {
  readonly name: string
  readonly port: number
  readonly use: BrokerUse
  readonly wire: WireClient
}

/** Both, running or to be started. */
export interface Pair<One> {
  readonly varve: One
  /** Null where it can't be had: then Varve is measured alone. */
  readonly kafka: One | null
  /** For all figures. */
  readonly conditions: Readonly<Record<string, string | number>>
}

export interface TwoBrokers extends Pair<Subject> {
  /** For the files of a benchmark. */
  readonly directory: string
}

/** What is asked of figures that one measurement gives. */
export interface AskedFigure {
  readonly name: string
  readonly unit: Unit
  readonly bar: Bar | null
  readonly plot?: PlotPoint
}

/** A benchmark of `varve serve` beside Apache Kafka, both running all the while. */
export function besideKafka(
  name: string,
  summary: string,
  run: (context: BenchmarkContext, brokers: TwoBrokers) => Promise<readonly Figure[]>,
): Benchmark {
  return {
    name,
    summary,
    repeat: repeatOfServers,
    run: (context) => context.withDirectory((directory) => withBrokers(context, directory, run)),
  }
}

async function withBrokers(
  context: BenchmarkContext,
  directory: string,
  run: (context: BenchmarkContext, brokers: TwoBrokers) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> {
  mkdirSync(directory)
  const stops: (() => Promise<void>)[] = []
  try {
    context.progress('starting varve serve and Kafka')
    const served = await serveVarve(`${directory}/varve`)
    stops.push(served.stop)
    const varve = await subjectOf('Varve', served)
    stops.unshift(async () => varve.wire.close())
    const broker = await kafkaOf(context, directory)
    if (typeof broker === 'string') {
      const conditions = { kafka: `not here: ${broker}` }
      return await run(context, { varve, kafka: null, directory, conditions })
    }
    stops.push(broker.stop)
    const kafka = await subjectOf(`Apache Kafka ${broker.version}`, broker)
    stops.unshift(async () => kafka.wire.close())
    return await run(context, { varve, kafka, directory, conditions: {} })
  } finally {
    for (const stop of stops) await stop()
  }
}

/** A smoke run says whether this works, and another virtual machine would be most of its time. */
export async function kafkaOf(
  context: BenchmarkContext,
  directory: string,
): Promise<BrokerProcess | string> {
  const broker = context.isSmoke
    ? 'a smoke run goes without it'
    : await startBroker('kafka', `${directory}/kafka`)
  if (typeof broker === 'string') process.stderr.write(`kafka is left out: ${broker}\n`)
  return broker
}

async function subjectOf(
  name: string,
  { port, pid }: { readonly port: number; readonly pid: number },
): Promise<Subject> {
  return { name, port, use: new BrokerUse(pid), wire: await WireClient.connect(port) }
}

/** Of the payload that all benchmarks have, as a file. */
export function payloadFile({ directory }: TwoBrokers, recordBytes: number): PayloadFile {
  const path = `${directory}/payload-${recordBytes}`
  const { records } = payloadOf(recordBytes, 16_384)
  writeFileSync(path, Buffer.concat(records.map(({ bytes }) => bytes)))
  return { path, recordBytes }
}

/**
 * Measures the two in turns, and makes several figures of each measurement: a sample for each of
 * those that are asked, in their order.
 */
export async function figuresBeside<One extends { readonly name: string }>(
  context: BenchmarkContext,
  { varve, kafka, conditions }: Pair<One>,
  asked: readonly AskedFigure[],
  measure: (subject: One) => Promise<readonly Sample[]>,
  own: Readonly<Record<string, string | number>> = {},
): Promise<readonly Figure[]> {
  const kept = new Map<One, (readonly Sample[])[]>([[varve, []]])
  if (kafka !== null) kept.set(kafka, [])
  const figures: Figure[] = []
  for (const [index, { name, unit, bar, plot }] of asked.entries()) {
    const contender = (subject: One): Contender => ({
      name: subject.name,
      measure: async () => {
        const samples = index === 0 ? await measure(subject) : kept.get(subject)?.shift()
        kept.get(subject)?.push(samples ?? [])
        return (samples ?? [])[index] as Sample
      },
    })
    const figure = await hold(context, {
      name,
      unit,
      measured: contender(varve),
      ...(kafka !== null && { limit: contender(kafka) }),
      ...(bar !== null && (kafka !== null || bar.kind === 'value') && { bar }),
      ...(plot !== undefined && { plot }),
      conditions: { ...conditions, ...own },
    })
    figures.push(figure)
  }
  return figures
}
