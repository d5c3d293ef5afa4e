import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOf } from '../harness/result-hash.ts'
import { Load, type LoadResult, type LoadTarget, type PayloadFile } from './load.ts'
import {
  besideKafka,
  figuresBeside,
  flushingTopic,
  payloadFile,
  type TwoBrokers,
} from './two-brokers.ts'

/** Beside a broker that flushes each batch by itself, group commit has to show. */
const bar = { kind: 'ratio', atLeast: 5 } as const
/** The default of Kafka's own producer. */
const batchBytes = 16_384
const producers = 32
const recordBytes = 100

interface Shape {
  readonly name: string
  readonly partitions: number
  readonly records: number
  send(load: Load, target: LoadTarget, payload: PayloadFile, records: number): Promise<LoadResult>
}

/** One record a request, from clients that each wait for its answer. */
function serially(partitions: number): Shape {
  return {
    name: `${producers} producers with one record under way each, partitions ${partitions}`,
    partitions,
    records: 4_000,
    send: (load, target, payload, records) => {
      const settings = ['acks=all', 'linger.ms=0', 'socket.nagle.disable=true']
      return load.produceSerially(target, payload, { records, producers }, settings)
    },
  }
}

/** Full batches of the size that Kafka's producer makes, from one client. */
function inBatches(partitions: number): Shape {
  return {
    name: `batches of 16 KiB flat out, partitions ${partitions}`,
    partitions,
    records: 100_000,
    send: (load, target, payload, records) => {
      const settings = ['acks=all', `batch.size=${batchBytes}`]
      return load.produce(target, payload, records, settings)
    },
  }
}

export const serverFlushed: Benchmark = besideKafka(
  'server-kafka-flushed',
  'producing with a flush before each acknowledgement, at both brokers',
  async (context, brokers) => {
    const load = await Load.find()
    if (typeof load === 'string') {
      process.stderr.write(`nothing can be sent: ${load}\n`)
      return []
    }
    const shapes = [serially(1), serially(16), inBatches(1), inBatches(16)]
    const figures: Figure[] = []
    for (const shape of context.isSmoke ? shapes.slice(0, 1) : shapes) {
      figures.push(...(await flushed(context, brokers, load, shape)))
    }
    return figures
  },
)

async function flushed(
  context: BenchmarkContext,
  brokers: TwoBrokers,
  load: Load,
  { name, partitions, send, ...sizes }: Shape,
): Promise<readonly Figure[]> {
  const payload = payloadFile(brokers, recordBytes)
  const records = context.size(sizes.records, 1_000)
  const conditions = {
    client: load.name,
    acks: 'all',
    'Kafka flushes': 'flush.messages=1',
    payload: `records of ${recordBytes} B`,
  }
  let rounds = 0
  return await figuresBeside(
    context,
    brokers,
    [{ name, unit: 'records/s', bar }],
    async (subject) => {
      const { port, wire } = subject
      const topic = `flushed-${name.replaceAll(/\W+/g, '-')}-${++rounds}`
      const target = { port, topic, partitions }
      const own = subject === brokers.kafka ? flushingTopic : {}
      await wire.createTopic(topic, partitions, own)
      const written = await send(load, target, payload, records)
      const read = await load.consume(target, records)
      await wire.deleteTopic(topic)
      if (written.sum !== read.sum) throw new Error(`${topic} is not read as sent`)
      const hash = hashOf(Buffer.from(`${records} ${read.sum}`))
      return [{ value: records / written.seconds, hash }]
    },
    conditions,
  )
}
