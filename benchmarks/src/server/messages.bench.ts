import { apiNamed, decodeRequest, encodeRequest, encodeResponse, openRequest } from '@varve/server'
import type { Benchmark } from '../harness/benchmark.ts'
import { type MicroTask, measureTasks } from '../harness/micro.ts'
import { bareFetchResponse, bareProduceRequest, type FetchedPartition } from './bare-messages.ts'

const produce = apiNamed('Produce')
const fetch = apiNamed('Fetch')
const produceVersion = 9
const fetchVersion = 12
const topic = 'orders'
const origin = { correlationId: 1, clientId: 'client' }

export const messages: Benchmark = {
  name: 'messages',
  summary:
    "requests read and answers written as Kafka's wire has them, beside code for one version",
  async run(context) {
    const counts = [1, context.size(1000, 10)]
    return await measureTasks(context, counts.flatMap(tasksOf), {
      Produce: `v${produceVersion}`,
      Fetch: `v${fetchVersion}`,
    })
  },
}

/** With so many partitions of one topic, as the time of one of them. */
function tasksOf(partitions: number): MicroTask[] {
  const indexes = Array.from({ length: partitions }, (_, index) => index)
  const frame = requestOf(indexes)
  const answered: readonly FetchedPartition[] = indexes.map((partitionIndex) => {
    const highWatermark = 12_345_678_901 + partitionIndex
    const offsets = { highWatermark, lastStableOffset: highWatermark, logStartOffset: 0 }
    const records = Buffer.alloc(0)
    return { partitionIndex, errorCode: 0, ...offsets, abortedTransactions: null, records }
  })
  const response = { responses: [{ topic, partitions: answered }] }
  const named = (what: string): string => `${what}, ${partitions} partitions`
  return [
    {
      name: named('read Produce'),
      run: () => {
        const { api, bodyAt } = openRequest(frame)
        if (api !== produce) return -1
        const [read] = decodeRequest(produce, produceVersion, frame, bodyAt).topicData
        return (read?.partitionData ?? []).reduce((sum, one) => sum + sizeOf(one.records), 0)
      },
      operations: partitions,
      limit: named('read Produce bare'),
    },
    {
      name: named('read Produce bare'),
      run: () => {
        const partitionData = bareProduceRequest(frame)
        return partitionData.reduce((sum, one) => sum + sizeOf(one.records), 0)
      },
      operations: partitions,
    },
    {
      name: named('write Fetch'),
      run: () => sumOf(encodeResponse(fetch, fetchVersion, 1, response)),
      operations: partitions,
      limit: named('write Fetch bare'),
    },
    {
      name: named('write Fetch bare'),
      run: () => sumOf([bareFetchResponse(1, topic, answered)]),
      operations: partitions,
    },
  ]
}

function requestOf(indexes: readonly number[]): Buffer {
  const records = Buffer.alloc(1200, 'records ')
  const partitionData = indexes.map((index) => ({ index, records }))
  const pieces = encodeRequest(produce, produceVersion, origin, {
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: topic, partitionData }],
  })
  return Buffer.concat(pieces).subarray(4)
}

function sizeOf(records: Buffer | null): number {
  return records === null ? 0 : records.length
}

/** Something that depends on the size and a few of the bytes. */
function sumOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => {
    return sum + piece.length + (piece[3] ?? 0) + (piece[piece.length - 1] ?? 0)
  }, 0)
}
