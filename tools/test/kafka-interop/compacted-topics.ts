import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientProducer, KafkaClient } from '../../src/kafka/kafka-client.ts'
import type { KafkaLine } from '../../src/kafka/kafka-release.ts'
import { type FilledTopic, smallSegments } from './kafka-topics.ts'
import { logFileNames } from './partition-contents.ts'
import { sampleText } from './record-samples.ts'
import type { TimedRecord } from './scenario.ts'

const cleanerTimeoutMs = 60_000
export const dirtySegmentBytes = 10_000

/**
 * Fills two compacted topics and waits until Kafka's cleaner has been through them: one keeps its
 * tombstones, with a delete horizon, the other has transactions and loses its tombstones in a
 * second round. Timestamps are the present, since a producer of old records is soon forgotten, and
 * with it the reason to keep its emptied batches.
 */
export async function fillCompacted(
  client: KafkaClient,
  line: KafkaLine,
  dataDirectory: string,
): Promise<FilledTopic[]> {
  const topics = await writeDirty(client, line)
  for (const { name } of topics) await cleanerHasPassed(dataDirectory, name)

  // New segments give the cleaner reason for a second round.
  const producer = await client.openProducer()
  for (const { name } of topics) await sendUpdates(producer, name, 20)
  for (const { name } of topics) await cleanerHasPassed(dataDirectory, name)
  return topics
}

/** Makes two topics that are to be compacted, and fills them with what has been overwritten. */
export async function writeDirty(client: KafkaClient, line: KafkaLine): Promise<FilledTopic[]> {
  const configs = {
    'cleanup.policy': 'compact',
    'min.cleanable.dirty.ratio': '0.01',
    ...smallSegments(line, dirtySegmentBytes),
  }
  await client.createTopic('compacted', configs)
  await client.createTopic('compacted-transactions', { ...configs, 'delete.retention.ms': '0' })
  await overwriteWithTombstones(client)
  await overwriteInTransactions(client)
  return [
    { name: 'compacted', sent: null },
    { name: 'compacted-transactions', sent: null },
  ]
}

/** The first producer's last batch loses every record to the second one's. */
async function overwriteWithTombstones(client: KafkaClient): Promise<void> {
  const first = await client.openProducer({ 'compression.type': 'lz4' })
  await first.send('compacted', keyed(0, ['a', 'b', 'c', 'd']))
  const second = await client.openProducer({ 'compression.type': 'zstd' })
  await sendUpdates(second, 'compacted', 30)
  const now = Date.now()
  const tombstones = ['a', 'b'].map((key) => ({ key, value: null, timestamp: now }))
  await second.send('compacted', [...tombstones, ...keyed(1, ['e'])])
  await sendUpdates(second, 'compacted', 30, ['c', 'd', 'f'])
}

async function overwriteInTransactions(client: KafkaClient): Promise<void> {
  const producer = await client.openProducer({ 'transactional.id': 'compacting' })
  for (let round = 0; round < 20; round++) {
    await producer.beginTransaction()
    await sendUpdates(producer, 'compacted-transactions', 2)
    if (round === 3) {
      const tombstone = { key: 'a', value: null, timestamp: Date.now() }
      await producer.send('compacted-transactions', [tombstone])
    }
    await (round % 4 === 1 ? producer.abortTransaction() : producer.commitTransaction())
  }
}

async function sendUpdates(
  producer: ClientProducer,
  topic: string,
  batches: number,
  keys: readonly string[] = ['b', 'c', 'd', 'f'],
): Promise<void> {
  for (let i = 0; i < batches; i++) await producer.send(topic, keyed(i, keys))
}

function keyed(seed: number, keys: readonly string[]): readonly TimedRecord[] {
  const timestamp = Date.now()
  return keys.map((key) => ({ key, value: sampleText(seed, 300), timestamp }))
}

/** Waits until everything below the active segment has been cleaned. */
export async function cleanerHasPassed(dataDirectory: string, topic: string): Promise<void> {
  const activeName = logFileNames(join(dataDirectory, `${topic}-0`)).at(-1) ?? ''
  const activeBaseOffset = Number.parseInt(activeName, 10)
  const deadline = performance.now() + cleanerTimeoutMs
  while (firstDirtyOffset(dataDirectory, topic) < activeBaseOffset) {
    if (performance.now() > deadline) throw new Error(`the cleaner has not reached ${topic}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function firstDirtyOffset(dataDirectory: string, topic: string): number {
  const path = join(dataDirectory, 'cleaner-offset-checkpoint')
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const line = text.split('\n').find((entry) => entry.startsWith(`${topic} 0 `))
  return line === undefined ? 0 : Number(line.split(' ')[2])
}
