import { mkdirSync, writeFileSync } from 'node:fs'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold, holdField } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'
import { type BrokerProcess, startBroker } from '../peers/brokers/broker-process.ts'
import { KafkaTools } from '../peers/brokers/kafka-tools.ts'
import type { Promised } from '../peers/peer.ts'
import { BrokerUse } from './broker-use.ts'
import { idlePolls } from './idle-polls.ts'
import { serveVarve } from './served-varve.ts'

/** Kafka's own client, against one broker or the other. */
interface Subject {
  readonly name: string
  readonly port: number
  readonly tools: KafkaTools
  readonly use: BrokerUse
}

interface Subjects {
  readonly varve: Subject
  readonly kafka: Subject
  readonly directory: string
}

/** At least so much of Kafka's throughput. */
const throughputRatio = 0.8

export const serverKafka: Benchmark = {
  name: 'server-kafka',
  summary: 'varve serve beside Apache Kafka, with the same client, by turns',
  run: (context) =>
    context.withDirectory(async (directory) => {
      mkdirSync(directory)
      const served = await serveVarve(`${directory}/varve`)
      const broker = await startBroker('kafka', `${directory}/kafka`)
      try {
        if (typeof broker === 'string') {
          process.stderr.write(`kafka is left out: ${broker}\n`)
          return [await waiting(context, varveAlone(served))]
        }
        const varve = subjectOf({ ...broker, port: served.port, version: '' }, served.pid, 'Varve')
        const kafka = subjectOf(broker, broker.pid, `Apache Kafka ${broker.version}`)
        return await all(context, { varve, kafka, directory })
      } finally {
        if (typeof broker !== 'string') await broker.stop()
        await served.stop()
      }
    }),
}

function subjectOf(broker: BrokerProcess, pid: number, name: string): Subject {
  return { name, port: broker.port, tools: new KafkaTools(broker), use: new BrokerUse(pid) }
}

/** Without Kafka's client there is nobody to produce. */
function varveAlone({ port, pid }: { port: number; pid: number }): Pick<Subject, 'port' | 'use'> {
  return { port, use: new BrokerUse(pid) }
}

async function all(context: BenchmarkContext, subjects: Subjects): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  const sizes = context.isSmoke ? [100] : [100, 1024]
  for (const recordBytes of sizes) {
    const bytes = context.size(200 * 2 ** 20, 200_000)
    const records = Math.floor(bytes / recordBytes)
    figures.push(...(await producing(context, subjects, recordBytes, records, 'written')))
    if (context.isSmoke) continue
    const flushed = Math.floor(records / 20)
    figures.push(...(await producing(context, subjects, recordBytes, flushed, 'flushed')))
    figures.push(...(await consuming(context, subjects, recordBytes, records)))
  }
  figures.push(await waiting(context, subjects.varve))
  return figures
}

function payloadFile({ directory }: Subjects, recordBytes: number): string {
  const path = `${directory}/payload-${recordBytes}`
  const { records } = payloadOf(recordBytes, 1_024)
  writeFileSync(path, records.map(({ bytes }) => bytes.toString('latin1')).join('\n'))
  return path
}

async function producing(
  context: BenchmarkContext,
  subjects: Subjects,
  recordBytes: number,
  records: number,
  promised: Promised,
): Promise<readonly Figure[]> {
  const payload = payloadFile(subjects, recordBytes)
  const topic = `produced-${recordBytes}-${promised}`
  const contender = ({ name, tools, use }: Subject): Contender => ({
    name,
    measure: () => {
      return using(use, records, () => tools.produce(topic, payload, records, acksOf(promised)))
    },
  })
  for (const { tools } of [subjects.varve, subjects.kafka]) await tools.createTopic(topic, promised)
  return holdField(context, {
    name: `producing records of ${recordBytes} B, ${promised}`,
    unit: 'records/s',
    measured: contender(subjects.varve),
    rivals: [{ ...contender(subjects.kafka), bar: barOf(promised) }],
    conditions: { client: 'kafka-producer-perf-test', partitions: 1, acks: acksOf(promised) },
  })
}

function acksOf(promised: Promised): string {
  return promised === 'flushed' ? 'all' : '1'
}

/** Beside a broker that flushes each batch by itself, group commit has to show. */
function barOf(promised: Promised): { readonly kind: 'ratio'; readonly atLeast: number } {
  return { kind: 'ratio', atLeast: promised === 'flushed' ? 5 : throughputRatio }
}

async function consuming(
  context: BenchmarkContext,
  subjects: Subjects,
  recordBytes: number,
  records: number,
): Promise<readonly Figure[]> {
  const payload = payloadFile(subjects, recordBytes)
  const topic = `consumed-${recordBytes}`
  const contender = ({ name, tools, use }: Subject): Contender => ({
    name,
    measure: () => using(use, records, () => tools.consume(topic, records)),
  })
  for (const { tools } of [subjects.varve, subjects.kafka]) {
    await tools.createTopic(topic, 'written')
    await tools.produce(topic, payload, records)
  }
  return holdField(context, {
    name: `consuming records of ${recordBytes} B`,
    unit: 'records/s',
    measured: contender(subjects.varve),
    rivals: [{ ...contender(subjects.kafka), bar: { kind: 'ratio', atLeast: throughputRatio } }],
    conditions: { client: 'kafka-consumer-perf-test', partitions: 1 },
  })
}

/** What the client says, and beside it what the broker used meanwhile. */
async function using(use: BrokerUse, records: number, run: () => Promise<number>) {
  const before = use.cpuSeconds
  const value = await run()
  const cpuSeconds = Math.max(0.01, use.cpuSeconds - before)
  const aside = {
    'records per CPU second of the broker': records / cpuSeconds,
    'memory of the broker, MiB': use.residentMiB,
  }
  return { value, hash: hashOfNumbers(records), aside }
}

async function waiting(
  context: BenchmarkContext,
  { port, use }: Pick<Subject, 'port' | 'use'>,
): Promise<Figure> {
  const connections = context.size(10_000, 50)
  const seconds = context.size(20, 1)
  const target = { port, topic: 'idle', use }
  return hold(context, {
    name: `${connections} consumers that wait`,
    unit: 'ms',
    measured: {
      name: 'Varve',
      measure: async () => ({
        value: Math.max(0.1, (await idlePolls(target, connections, seconds)) * 1000),
        hash: hashOfNumbers(connections),
      }),
    },
    bar: { kind: 'value', atMost: 50 },
    conditions: { 'a value': 'processor time of the broker in each second' },
  })
}
