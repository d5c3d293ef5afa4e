import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import type { Sample } from '../harness/contest.ts'
import type { Bar, Figure } from '../harness/figure.ts'
import { hashOf } from '../harness/result-hash.ts'
import { memoryOf } from './broker-memory.ts'
import type { BrokerUse } from './broker-use.ts'
import { Load, type LoadResult } from './load.ts'
import {
  type AskedFigure,
  besideKafka,
  figuresBeside,
  payloadFile,
  type Subject,
  type TwoBrokers,
} from './two-brokers.ts'

type Acks = '1' | 'all'

/** At least so much of Kafka's throughput, and for each second of processor time. */
const wallBar: Bar = { kind: 'ratio', atLeast: 0.8 }
const cpuBar: Bar = { kind: 'ratio', atLeast: 1 }
const memoryBar: Bar = { kind: 'ratio', atLeast: 4 }

const partitionCounts = [1, 16]
const recordSizes = [100, 1024]

export const serverWritten: Benchmark = besideKafka(
  'server-kafka-written',
  'varve serve beside Apache Kafka: producing with acks=1, and consuming, flat out',
  (context, brokers) => throughput(context, brokers, '1'),
)

export const serverAcksAll: Benchmark = besideKafka(
  'server-kafka-acks-all',
  'producing with acks=all, flat out: flushed by varve serve, by Kafka not',
  (context, brokers) => throughput(context, brokers, 'all'),
)

async function throughput(
  context: BenchmarkContext,
  brokers: TwoBrokers,
  acks: Acks,
): Promise<readonly Figure[]> {
  const load = await Load.find()
  if (typeof load === 'string') {
    process.stderr.write(`nothing can be sent: ${load}\n`)
    return []
  }
  const figures: Figure[] = []
  for (const partitions of context.isSmoke ? [16] : partitionCounts) {
    for (const recordBytes of context.isSmoke ? [100] : recordSizes) {
      const round = { load, acks, partitions, recordBytes }
      figures.push(...(await producing(context, brokers, round)))
    }
  }
  return [...figures, ...(await memoryAfter(context, brokers))]
}

interface Round {
  readonly load: Load
  readonly acks: Acks
  readonly partitions: number
  readonly recordBytes: number
}

async function producing(
  context: BenchmarkContext,
  brokers: TwoBrokers,
  round: Round,
): Promise<readonly Figure[]> {
  const { load, acks, partitions, recordBytes } = round
  const payload = payloadFile(brokers, recordBytes)
  const records = context.size(Math.floor((150 * 2 ** 20) / recordBytes), 20_000)
  const of = `${recordBytes} B, partitions ${partitions}`
  // What is read is not read otherwise with other acks; that it is the same is seen in any case.
  const verbs = acks === '1' ? ['producing', 'consuming'] : ['producing']
  const asked = verbs.flatMap((verb): AskedFigure[] => [
    { name: `${verb} ${of}`, unit: 'records/s', bar: wallBar },
    { name: `${verb} ${of}, per CPU second`, unit: 'records/s', bar: cpuBar },
  ])
  let rounds = 0
  const measure = async ({ port, use, wire }: Subject): Promise<readonly Sample[]> => {
    const topic = `load-${acks}-${partitions}-${recordBytes}-${++rounds}`
    const target = { port, topic, partitions }
    await wire.createTopic(topic, partitions)
    const written = await using(use, () => load.produce(target, payload, records, [`acks=${acks}`]))
    const read = await using(use, () => load.consume(target, records))
    await wire.deleteTopic(topic)
    if (written.result.sum !== read.result.sum) throw new Error(`${topic} is not read as sent`)
    return [...samplesOf(written), ...samplesOf(read)]
  }
  const client = {
    client: load.name,
    acks,
    'records a round': records,
    'per CPU second': 'of the broker',
  }
  return await figuresBeside(context, brokers, asked, measure, client)
}

interface Used {
  readonly result: LoadResult
  /** Of the broker. */
  readonly cpuSeconds: number
}

async function using(use: BrokerUse, run: () => Promise<LoadResult>): Promise<Used> {
  const before = use.cpuSeconds
  const result = await run()
  return { result, cpuSeconds: Math.max(0.01, use.cpuSeconds - before) }
}

/** By the clock, and for each second of the broker's. */
function samplesOf({ result, cpuSeconds }: Used): readonly Sample[] {
  const { records, seconds, sum } = result
  const hash = hashOf(Buffer.from(`${records} ${sum}`))
  const busy = {
    'cores the broker used': cpuSeconds / seconds,
    'cores the client used': result.cpuSeconds / seconds,
  }
  return [
    { value: records / seconds, hash, aside: busy },
    { value: records / cpuSeconds, hash, aside: busy },
  ]
}

/** After all the rounds above, which are the same for both. */
async function memoryAfter(
  context: BenchmarkContext,
  brokers: TwoBrokers,
): Promise<readonly Figure[]> {
  const asked: AskedFigure = { name: 'memory after the load', unit: 'MiB', bar: memoryBar }
  return await figuresBeside(context, brokers, [asked], async ({ use }) => [memoryOf(use)])
}
