import { type DirectoryVarve, openDataDirectory, type Varve } from '@varve/broker'
import type { Random } from '@varve/log/testing'
import type { RecordInput } from '@varve/record'

/** What tells a record from others, wherever it is. */
export interface MovedRecord {
  readonly offset: number
  readonly value: string | null
  readonly content: string
}

/** Records of a topic by partition, in their order. */
export type TopicRecords = ReadonlyArray<readonly MovedRecord[]>

export const sharedTopic = 'orders'
/** Topics of the history, with how many partitions each has. */
export const historyTopics: ReadonlyMap<string, number> = new Map([
  [sharedTopic, 4],
  ['prices', 2],
  ['audit', 1],
])

/** Those that all clients here have. */
const sharedCodecs = ['none', 'gzip', 'snappy'] as const
const otherCodecs = ['lz4', 'zstd'] as const

/**
 * What a directory has gathered before it is served: every codec, transactions of both outcomes, a
 * topic that was compacted and so has gaps, tombstones, and records from long ago.
 */
export async function makeHistory(directory: string, random: Random): Promise<void> {
  await using varve = await openDataDirectory(directory, { cleaning: false })
  await varve.createTopic(sharedTopic, { partitions: 4 })
  await varve.createTopic('audit', { retentionMs: 10 ** 12 })
  await fillOrders(varve, random)
  await fillPrices(varve, random)
  const longAgo = Array.from({ length: 50 }, (_, index) => ({
    value: `audited ${index}`,
    timestamp: 1_000_000_000_000 + index,
    headers: [
      { key: 'a', value: null },
      { key: 'a', value: random.bytes(3) },
    ],
  }))
  for (const compression of otherCodecs) {
    await using producer = varve.producer({ compression })
    await producer.send('audit', longAgo)
  }
}

/** Partition by partition, so that the shares are known. */
async function fillOrders(varve: DirectoryVarve, random: Random): Promise<void> {
  let number = 0
  const some = (count: number): RecordInput[] =>
    Array.from({ length: count }, () => ({
      key: random.bool(0.2) ? null : `k${random.int(9)}`,
      value: `history-${number++}`,
    }))
  for (const [partition] of some(4).entries()) {
    for (const compression of sharedCodecs) {
      await using producer = varve.producer({ compression })
      await producer.send(sharedTopic, some(1 + random.int(20)), { partition })
    }
    await using producer = varve.producer({ transactionalId: `t${partition}` })
    for (const isCommitted of [true, false, random.bool(), false, true]) {
      const transaction = await producer.begin()
      await transaction.send(sharedTopic, some(5), { partition })
      if (isCommitted) await transaction.commit()
      else await transaction.abort()
    }
  }
}

async function fillPrices(varve: DirectoryVarve, random: Random): Promise<void> {
  await varve.createTopic('prices', {
    ...{ partitions: 2, cleanupPolicy: 'compact', minCleanableDirtyRatio: 0 },
    segmentBytes: 65_536,
  })
  await using producer = varve.producer({ compression: 'lz4' })
  for (let round = 0; round < 4; round++) {
    const records = Array.from({ length: 100 }, () => ({
      key: `p${random.int(40)}`,
      value: random.bool(0.3) ? null : random.bytes(1 + random.int(60)),
    }))
    await producer.send('prices', records)
    if (round === 2) {
      for (const partition of [0, 1]) await varve.log('prices', partition).roll()
      await varve.cleaner.runOnce()
    }
  }
}

/** The committed records of a topic, of a directory or a cluster. */
export async function recordsOf(varve: Varve, topic: string): Promise<TopicRecords> {
  const count = historyTopics.get(topic) ?? 0
  const all = Array.from({ length: count }, (): MovedRecord[] => [])
  const options = { topics: [topic], from: 'earliest', follow: false } as const
  await using consumer = varve.consumer({ ...options, isolation: 'committed' })
  const hex = (bytes: Buffer | null): string | null => bytes?.toString('hex') ?? null
  for await (const { partition, raw } of consumer) {
    const { offset, key, value, timestamp } = raw
    const headers = raw.headers.map((header) => [header.key, hex(header.value)])
    const content = JSON.stringify([hex(key), hex(value), headers, timestamp])
    all[partition]?.push({ offset, value: value?.toString() ?? null, content })
  }
  return all
}
