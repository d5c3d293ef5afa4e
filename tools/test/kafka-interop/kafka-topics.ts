import type { KafkaClient } from '../../src/kafka/kafka-client.ts'
import type { KafkaLine } from '../../src/kafka/kafka-release.ts'
import type { PlainRecord } from '../../src/kafka/plain-record.ts'
import { bulkRecords, oddRecords, sampleBytes } from './record-samples.ts'
import { plainOf, type TimedRecord } from './scenario.ts'
import { compressionTypes } from './scenarios.ts'

/** A topic that Kafka's own producers have filled. */
export interface FilledTopic {
  readonly name: string
  /** What was sent and acknowledged, whether committed or not; null where Kafka has changed it. */
  readonly sent: PlainRecord[] | null
}

const start = 1_700_000_000_000
const minute = 60_000
const keepForEver = { 'retention.ms': '-1' }

/** Fills topics with every kind of batch that a producer makes. Some transactions stay open. */
export async function fillTopics(client: KafkaClient, line: KafkaLine): Promise<FilledTopic[]> {
  return [
    ...(await fillCodecs(client)),
    await fillSegments(client, line),
    await fillAppendTime(client),
    await fillTransactions(client, line),
    await fillTrimmed(client, line),
  ]
}

/** Sends one more batch of each codec to a topic. */
export async function appendMore(client: KafkaClient, topic: FilledTopic): Promise<void> {
  for (const [i, compressionType] of compressionTypes.entries()) {
    const producer = await client.openProducer({ 'compression.type': compressionType })
    const base = start + 1000 * minute + i * minute
    const records = [...oddRecords(base), ...bulkRecords(i, base, 5000)]
    keep(topic, records, await producer.send(topic.name, records))
    await producer.close()
  }
}

/** Topic configuration for segments smaller than Kafka 4 lets users have. */
export function smallSegments(line: KafkaLine, bytes: number): Readonly<Record<string, string>> {
  return { [line === '3.9' ? 'segment.bytes' : 'internal.segment.bytes']: String(bytes) }
}

function keep(
  topic: FilledTopic,
  records: readonly TimedRecord[],
  offsets: readonly number[],
): void {
  for (const [i, record] of records.entries()) topic.sent?.push(plainOf(record, offsets[i] ?? -1))
}

async function fillCodecs(client: KafkaClient): Promise<FilledTopic[]> {
  const topics: FilledTopic[] = []
  for (const [i, compressionType] of compressionTypes.entries()) {
    const topic = { name: `codec-${compressionType}`, sent: [] }
    await client.createTopic(topic.name, keepForEver)
    const properties = {
      'compression.type': compressionType,
      'enable.idempotence': `${i % 2 === 0}`,
    }
    const producer = await client.openProducer(properties)
    const noise = { key: 'noise', value: sampleBytes(i, 100_000), timestamp: start + 3 * minute }
    const batches = [oddRecords(start), bulkRecords(1, start + minute, 150_000), [noise]]
    for (const records of batches) keep(topic, records, await producer.send(topic.name, records))
    await producer.close()
    topics.push(topic)
  }
  return topics
}

/** Batches of every codec in turn, over several segments with many index entries. */
async function fillSegments(client: KafkaClient, line: KafkaLine): Promise<FilledTopic> {
  const topic = { name: 'segments', sent: [] }
  const configs = { ...smallSegments(line, 65_536), 'index.interval.bytes': '1024' }
  await client.createTopic(topic.name, { ...keepForEver, ...configs })
  for (const [i, compressionType] of compressionTypes.entries()) {
    const producer = await client.openProducer({ 'compression.type': compressionType })
    for (let j = 0; j < 15; j++) {
      const base = start + (i * 15 + j) * minute
      const records = bulkRecords(i * 15 + j, base, 3000 + (j % 7) * 1500)
      keep(topic, records, await producer.send(topic.name, records))
    }
    await producer.close()
  }
  return topic
}

async function fillAppendTime(client: KafkaClient): Promise<FilledTopic> {
  const topic = { name: 'append-time', sent: null }
  await client.createTopic(topic.name, { 'message.timestamp.type': 'LogAppendTime' })
  const producer = await client.openProducer({ 'compression.type': 'snappy' })
  await producer.send(topic.name, oddRecords(start))
  await producer.send(topic.name, bulkRecords(3, start, 20_000))
  await producer.close()
  return topic
}

/**
 * Transactions of two producers that overlap, end both ways and reach over segments; one stays
 * open.
 */
async function fillTransactions(client: KafkaClient, line: KafkaLine): Promise<FilledTopic> {
  const topic = { name: 'transactions', sent: [] }
  await client.createTopic(topic.name, { ...keepForEver, ...smallSegments(line, 6000) })
  const open = (id: string): ReturnType<KafkaClient['openProducer']> =>
    client.openProducer({ 'transactional.id': id, 'transaction.timeout.ms': '600000' })
  const [one, other, third] = [await open('one'), await open('other'), await open('third')]
  let clock = start
  const send = async (producer: typeof one): Promise<void> => {
    clock += minute
    const records = bulkRecords(clock / minute, clock, 1500)
    keep(topic, records, await producer.send(topic.name, records))
  }
  for (let round = 0; round < 6; round++) {
    await one.beginTransaction()
    await other.beginTransaction()
    await send(one)
    await send(other)
    await send(one)
    await (round % 2 === 0 ? one.commitTransaction() : one.abortTransaction())
    await send(other)
    await (round % 3 === 0 ? other.abortTransaction() : other.commitTransaction())
  }
  await third.beginTransaction()
  await send(third)
  return topic
}

/** The log start offset is raised into the middle of a batch in the middle of a segment. */
async function fillTrimmed(client: KafkaClient, line: KafkaLine): Promise<FilledTopic> {
  const topic: FilledTopic = { name: 'trimmed', sent: [] }
  await client.createTopic(topic.name, { ...keepForEver, ...smallSegments(line, 20_000) })
  const producer = await client.openProducer({ 'compression.type': 'zstd' })
  for (let i = 0; i < 12; i++) {
    const records = bulkRecords(i, start + i * minute, 10_000)
    keep(topic, records, await producer.send(topic.name, records))
  }
  await producer.close()
  const logStartOffset = 105
  await client.deleteRecords(topic.name, logStartOffset)
  return { ...topic, sent: topic.sent?.filter((record) => record.offset >= logStartOffset) ?? null }
}
