import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import type { Sample } from '../harness/contest.ts'
import type { Bar, Figure } from '../harness/figure.ts'
import { hashOf } from '../harness/result-hash.ts'
import { Load } from './load.ts'
import {
  besideKafka,
  figuresBeside,
  flushingTopic,
  payloadFile,
  type Subject,
  type TwoBrokers,
} from './two-brokers.ts'

/** No worse. */
const bar: Bar = { kind: 'ratio', atLeast: 1 }
const rate = 1_000
const recordBytes = 100
/** Nothing waits for company, neither in the client nor in its socket. */
const promptly = ['linger.ms=0', 'socket.nagle.disable=true']

interface Promised {
  readonly acks: string
  readonly kafkaFlushes: boolean
}

const written: Promised = { acks: '1', kafkaFlushes: false }
const acknowledged: Promised = { acks: 'all', kafkaFlushes: false }
const flushed: Promised = { acks: 'all', kafkaFlushes: true }

export const serverLatency: Benchmark = besideKafka(
  'server-kafka-latency',
  'from when a record is due until a consumer has it, at a fixed rate',
  (context, brokers) => latencies(context, brokers, [written, acknowledged]),
)

export const serverLatencyFlushed: Benchmark = besideKafka(
  'server-kafka-latency-flushed',
  'the same with a flush before each acknowledgement, at both brokers',
  (context, brokers) => latencies(context, brokers, [flushed]),
)

async function latencies(
  context: BenchmarkContext,
  brokers: TwoBrokers,
  all: readonly Promised[],
): Promise<readonly Figure[]> {
  const load = await Load.find()
  if (typeof load === 'string') {
    process.stderr.write(`nothing can be sent: ${load}\n`)
    return []
  }
  const figures: Figure[] = []
  for (const one of context.isSmoke ? all.slice(0, 1) : all) {
    figures.push(...(await latency(context, brokers, load, one)))
  }
  return figures
}

/** The 50th and the 99th percentile, for Kafka with a flush of each batch or without. */
async function latency(
  context: BenchmarkContext,
  brokers: TwoBrokers,
  load: Load,
  { acks, kafkaFlushes }: Promised,
): Promise<readonly Figure[]> {
  const payload = payloadFile(brokers, recordBytes)
  const pace = { rate, seconds: context.size(5, 1), warmUpSeconds: 1 }
  let rounds = 0
  const measure = async (subject: Subject): Promise<readonly Sample[]> => {
    const { port, use, wire } = subject
    const topic = `latency-${acks}-${++rounds}`
    const target = { port, topic, partitions: 1 }
    const isFlushing = kafkaFlushes && subject === brokers.kafka
    await wire.createTopic(topic, 1, isFlushing ? flushingTopic : {})
    const before = use.cpuSeconds
    const result = await load.latency(target, payload, pace, [...promptly, `acks=${acks}`])
    const cpuSeconds = use.cpuSeconds - before
    await wire.deleteTopic(topic)
    const { records, sum, p50Ms, p99Ms, p999Ms, maxMs } = result
    const hash = hashOf(Buffer.from(`${records} ${sum}`))
    const aside = {
      '99.9th percentile, ms': p999Ms,
      'longest, ms': maxMs,
      'cores the broker used': cpuSeconds / (pace.seconds + pace.warmUpSeconds),
    }
    return [p50Ms, p99Ms].map((value) => ({ value, hash, aside }))
  }
  const of = `acks=${acks}${kafkaFlushes ? ', both flush' : ''}`
  const named = (what: string) => ({ name: `${what}, ${of}`, unit: 'ms' as const, bar })
  const asked = [named('median until consumed'), named('99th percentile until consumed')]
  const conditions = {
    client: `${load.name}, ${promptly.join(', ')}`,
    rate: `${rate} records of ${recordBytes} B a second, one partition`,
  }
  return await figuresBeside(context, brokers, asked, measure, conditions)
}
