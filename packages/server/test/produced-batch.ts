import { type RecordBatch, RecordBatchBuilder, type RecordInput, readBatches } from '@varve/record'
import type { RequestOf } from '../src/protocol/api-declaration.ts'
import { fetch } from '../src/protocol/apis/fetch.ts'
import { produce } from '../src/protocol/apis/produce.ts'
import type { WireClient } from './wire-client.ts'

export interface BatchShape {
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly compressionType?: 'none' | 'gzip' | 'zstd'
  readonly timestamp?: number
}

/** A batch as a producer sends it. */
export function producedBatch(
  records: readonly RecordInput[],
  { timestamp = Date.now(), ...options }: BatchShape = {},
): RecordBatch {
  const builder = new RecordBatchBuilder({ ...options, defaultTimestamp: timestamp })
  for (const record of records) builder.append(record)
  return builder.build()
}

/** Records with these values. */
export function valued(...values: readonly string[]): RecordInput[] {
  return values.map((value) => ({ value }))
}

export interface Sent {
  readonly topic: string
  readonly partition?: number
  readonly records: Uint8Array | null
  readonly acks?: number
  readonly transactionalId?: string | null
}

/** A Produce request for one partition. */
export function produceRequest({
  topic,
  partition = 0,
  records,
  acks = -1,
  transactionalId = null,
}: Sent): { readonly acks: number; readonly timeoutMs: number } & Pick<
  RequestOf<typeof produce>,
  'topicData' | 'transactionalId'
> {
  const partitionData = [{ index: partition, records: records as Buffer | null }]
  const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'
  const topicData = [{ name: topic, topicId: noTopicId, partitionData }]
  return { transactionalId, acks, timeoutMs: 1000, topicData }
}

/** Sends one batch to one partition and gives its answer. */
export async function produceTo(client: WireClient, sent: Sent, version = 9) {
  const { responses } = await client.call(produce, version, produceRequest(sent))
  const answer = responses[0]?.partitionResponses[0]
  if (answer === undefined) throw new Error('the partition was not answered')
  return answer
}

export interface Fetched {
  readonly topic: string
  readonly partition?: number
  readonly fetchOffset?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly isolationLevel?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
}

/** A Fetch request for one partition. */
export function fetchRequest(fetched: Fetched) {
  const { topic, partition = 0, fetchOffset = 0, maxWaitMs = 0, minBytes = 1 } = fetched
  const { maxBytes = 2 ** 20, partitionMaxBytes = 2 ** 20, isolationLevel = 0 } = fetched
  const { currentLeaderEpoch = -1, lastFetchedEpoch = -1 } = fetched
  const partitions = [
    { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch },
  ]
  return { maxWaitMs, minBytes, maxBytes, isolationLevel, topics: [{ topic, partitions }] }
}

/** Fetches from one partition and gives its answer. */
export async function fetchFrom(client: WireClient, fetched: Fetched, version = 12) {
  const { responses } = await client.call(fetch, version, fetchRequest(fetched))
  const answer = responses[0]?.partitions[0]
  if (answer === undefined) throw new Error('the partition was not answered')
  return answer
}

/** The values in fetched records. */
export function valuesIn(records: Uint8Array | null): (string | null)[] {
  const values: (string | null)[] = []
  for (const batch of readBatches(Buffer.from(records ?? []))) {
    batch.validate()
    for (const { value } of batch.records()) values.push(value?.toString() ?? null)
  }
  return values
}
