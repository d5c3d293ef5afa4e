import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'
import { idlePolls } from './idle-polls.ts'
import { besideKafka, figuresBeside, type TwoBrokers } from './two-brokers.ts'

/** Under 5 % of a core. */
const bar = { kind: 'value', atMost: 50 } as const
const topic = 'idle'
/** Longer than is looked at: what is seen is waiting, and not asking again. */
const longWaitMs = 60_000
/** Kafka's default, fetch.max.wait.ms. */
const defaultWaitMs = 500

export const serverIdle: Benchmark = besideKafka(
  'server-kafka-idle',
  'processor time of a broker while consumers wait in long polls',
  (context, brokers) => waiting(context, brokers, longWaitMs),
)

export const serverIdlePolls: Benchmark = besideKafka(
  'server-kafka-idle-polls',
  "the same with Kafka's default wait, after which each asks again",
  (context, brokers) => waiting(context, brokers, defaultWaitMs),
)

async function waiting(
  context: BenchmarkContext,
  brokers: TwoBrokers,
  maxWaitMs: number,
): Promise<readonly Figure[]> {
  for (const { wire } of [brokers.varve, ...(brokers.kafka === null ? [] : [brokers.kafka])]) {
    await wire.createTopic(topic, 1)
  }
  const consumers = context.size(10_000, 50)
  const seconds = context.size(4, 1)
  const name = `${consumers} consumers that wait up to ${maxWaitMs} ms`
  return await figuresBeside(
    context,
    brokers,
    [{ name, unit: 'ms', bar }],
    async ({ port, use }) => {
      const seen = await idlePolls({ port, topic, use, consumers, maxWaitMs, seconds })
      const aside = { 'fetches a second': seen.fetchesPerSecond }
      return [{ value: Math.max(0.1, seen.cores * 1000), hash: hashOfNumbers(consumers), aside }]
    },
    { 'a value': 'processor time of the broker in each second' },
  )
}
