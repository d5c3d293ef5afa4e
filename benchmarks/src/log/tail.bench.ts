import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import {
  BenchPlace,
  generatePayload,
  keysOf,
  type Measurement,
  machineClock,
  type Payload,
  runEndToEnd,
} from '@varve/bench'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOf, hashOfNumbers, hashOfTexts } from '../harness/result-hash.ts'

const seed = 31
const recordsPerSecond = 1_000

/** A stream of records, and what is asked of the median until a consumer has them, in µs. */
interface Stream {
  readonly recordBytes: number
  readonly partitions: number
  readonly acks: 'written' | 'flushed'
  readonly consumerIn: 'this process' | 'another process'
  readonly atMost?: number
}

const streams: readonly Stream[] = [
  { recordBytes: 100, partitions: 1, acks: 'written', consumerIn: 'this process', atMost: 50 },
  { recordBytes: 1024, partitions: 1, acks: 'written', consumerIn: 'this process' },
  { recordBytes: 10_240, partitions: 1, acks: 'written', consumerIn: 'this process' },
  { recordBytes: 100, partitions: 8, acks: 'written', consumerIn: 'this process' },
  { recordBytes: 100, partitions: 1, acks: 'flushed', consumerIn: 'this process' },
  { recordBytes: 100, partitions: 1, acks: 'written', consumerIn: 'another process', atMost: 1000 },
  { recordBytes: 10_240, partitions: 1, acks: 'written', consumerIn: 'another process' },
  { recordBytes: 100, partitions: 8, acks: 'written', consumerIn: 'another process' },
  { recordBytes: 100, partitions: 1, acks: 'flushed', consumerIn: 'another process' },
]

export const tail: Benchmark = {
  name: 'tail',
  summary: 'from when a record is due until a consumer has it, at the median, 1,000 a second',
  async run(context) {
    const figures: Figure[] = []
    for (const stream of streams) figures.push(await ofStream(context, stream))
    return figures
  },
}

const payloadFor = (recordBytes: number): Payload =>
  generatePayload('json', recordBytes, seed, 2 ** 20)

function ofStream(context: BenchmarkContext, stream: Stream): Promise<Figure> {
  const { recordBytes, partitions, acks, consumerIn, atMost } = stream
  const where = consumerIn === 'this process' ? 'in the same process' : 'in another process'
  const spread = partitions === 1 ? '1 partition' : `${partitions} partitions`
  return hold(context, {
    name: `${recordBytes} B, ${spread}, ${acks}, ${where}`,
    unit: 'µs',
    measured: throughTopic(context, stream),
    ...(atMost !== undefined && { bar: { kind: 'value', atMost } as const }),
    conditions: {
      payload: payloadFor(recordBytes).description,
      pacing: 'records are due at even distances; the event loop of the producer turns meanwhile',
      clock: 'the monotonic clock of the machine, in both processes',
    },
  })
}

function throughTopic(context: BenchmarkContext, stream: Stream): Contender {
  const { recordBytes, partitions, acks, consumerIn } = stream
  const payload = payloadFor(recordBytes)
  const records = context.size(2_000, 30)
  const measure = () =>
    context.withDirectory(async (path) => {
      mkdirSync(path)
      await using place = await BenchPlace.open({ address: path, topicSettings: { partitions } })
      const nextKey = keysOf({ distribution: 'none', range: 1, seed })
      const sending = { acks, compression: 'none', lingerMs: 0, batchBytes: 65_536 } as const
      const measurement = await runEndToEnd(
        place,
        { payload, nextKey, producers: 1, sending },
        {
          rate: recordsPerSecond,
          pacing: 'precise',
          inFlight: 1_024,
          warmUpMs: context.size(500, 20),
          durationMs: null,
          records,
        },
        { clock: machineClock },
        { consumerIn },
      )
      return sampleOf(measurement, records, await valuesIn(place, records))
    })
  return { name: 'producer and consumer of a topic', measure }
}

/**
 * Hash of the values in the topic in the order in which they were due, up to as many as are
 * counted: how many there were while it warmed up is not the same in every repeat.
 */
async function valuesIn({ varve, topic, partitions }: BenchPlace, count: number): Promise<string> {
  const assignment = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const consumer = varve.consumer({ assignment, from: 'earliest', follow: false })
  const found: { readonly dueMs: number; readonly value: Buffer }[] = []
  for await (const { headers, value } of consumer) {
    const [due] = headers
    assert.ok(due?.value != null && value !== null, 'every record says when it was due')
    found.push({ dueMs: Math.abs(Buffer.from(due.value).readDoubleLE()), value })
  }
  assert.ok(found.length >= count, 'the topic has every record')
  found.sort((one, other) => one.dueMs - other.dueMs)
  return hashOf(...found.slice(0, count).map(({ value }) => value))
}

function sampleOf(
  { latency, records, payloadBytes }: Measurement,
  expected: number,
  content: string,
) {
  assert.ok(latency !== null, 'there are latencies')
  assert.equal(records, expected, 'every record has arrived')
  return {
    value: latency.p50Ms * 1000,
    hash: hashOfTexts(hashOfNumbers(records, payloadBytes), content),
    aside: { 'p99 µs': latency.p99Ms * 1000, 'p99.9 µs': latency.p999Ms * 1000 },
  }
}
