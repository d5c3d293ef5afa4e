import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consumeAll } from '../src/kafka/console-consumer.ts'
import { base64Decoders, dumpLog } from '../src/kafka/dump-log.ts'
import { type DumpedBatch, dumpComplaints, parseDump } from '../src/kafka/dump-log-parser.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { KafkaClient } from '../src/kafka/kafka-client.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import type { PlainRecord } from '../src/kafka/plain-record.ts'
import { fillCompacted } from './kafka-interop/compacted-topics.ts'
import { appendMore, type FilledTopic, fillTopics } from './kafka-interop/kafka-topics.ts'
import {
  batchesOfFile,
  logFileNames,
  recordsOfPartition,
} from './kafka-interop/partition-contents.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => {
  describe('writes, and Varve reads:', () => describeReading(release))
})

function describeReading(release: KafkaRelease): void {
  let root = ''
  let broker: KafkaBroker | null = null
  let client: KafkaClient | null = null
  let topics: readonly FilledTopic[] = []
  const dataDirectory = (): string => join(root, 'data')

  const start = async (): Promise<KafkaClient> => {
    broker = await startBroker(release, { directory: root })
    client = new KafkaClient(release, broker.bootstrapServers)
    return client
  }

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'varve-kafka-writes-'))
    const filling = await start()
    topics = [
      ...(await fillTopics(filling, release.line)),
      ...(await fillCompacted(filling, release.line, dataDirectory())),
    ]
    await fillGroups(filling, release)
  })
  afterAll(async () => {
    await client?.close()
    await broker?.kill()
    rmSync(root, { recursive: true, force: true })
  })

  test('every batch and record of a live directory as kafka-dump-log prints it', async () => {
    await expectReadAsDumped(release, dataDirectory(), topics)
  })

  test('the records that producers sent and the console consumer prints', async () => {
    if (broker === null) throw new Error('no broker is running')
    const names = topics.map((topic) => topic.name)
    const visible = ({ name, sent }: FilledTopic): readonly PlainRecord[] =>
      recordsOf(dataDirectory(), name).filter((record) => isKept(record, sent))
    const read = new Map(topics.map((topic) => [topic.name, visible(topic)]))
    const records = [...read.values()].reduce((sum, list) => sum + list.length, 0)
    const isolationLevel = 'read_uncommitted'
    const options = { topics: names, isolationLevel, records } as const
    const consumed = await consumeAll(release, broker, options)
    for (const { name, sent } of topics) {
      expect([name, consumed.get(name)]).toEqual([name, read.get(name)])
      if (sent !== null) expect([name, consumed.get(name)]).toEqual([name, sent])
    }
  })

  test('what the cleaner leaves: empty batches, gaps and delete horizons', () => {
    const batches = batchesOf(dataDirectory(), 'compacted')
    expect(batches.filter((batch) => batch.count === 0)).not.toEqual([])
    expect(batches.filter((batch) => batch.deleteHorizonMs !== null)).not.toEqual([])
    const sparse = batches.filter(
      (batch) => batch.count > 0 && batch.count <= batch.lastOffset - batch.baseOffset,
    )
    expect(sparse).not.toEqual([])
  })

  test('the directory of a broker that has shut down', async () => {
    await client?.close()
    await broker?.stop()
    await expectReadAsDumped(release, dataDirectory(), topics)
  })

  test('the directory of a broker that was killed', async () => {
    const restarted = await start()
    const grown = topics.filter((topic) => topic.sent !== null && topic.name !== 'transactions')
    for (const topic of grown) await appendMore(restarted, topic)
    await restarted.close()
    await broker?.kill()
    await expectReadAsDumped(release, dataDirectory(), topics)
    for (const { name, sent } of grown) {
      const read = recordsOf(dataDirectory(), name)
      expect([name, read.filter((record) => isKept(record, sent))]).toEqual([name, sent])
    }
  })
}

/** Members of groups, of each protocol that the release has, fill `__consumer_offsets`. */
async function fillGroups(client: KafkaClient, release: KafkaRelease): Promise<void> {
  const protocols = release.line === '3.9' ? ['classic'] : ['classic', 'consumer']
  for (const protocol of protocols) {
    const properties = { 'group.protocol': protocol, 'max.poll.records': '10' }
    const read = await client.consumeAsGroup(`group-${protocol}`, 'segments', 100, properties)
    expect(read).toBeGreaterThanOrEqual(100)
  }
}

/** Segments reach back before the log start offset, which consumers don't see. */
function isKept(record: PlainRecord, sent: readonly PlainRecord[] | null): boolean {
  return record.offset >= (sent?.[0]?.offset ?? 0)
}

function recordsOf(dataDirectory: string, topic: string): readonly PlainRecord[] {
  return recordsOfPartition(join(dataDirectory, `${topic}-0`))
}

function batchesOf(dataDirectory: string, topic: string): readonly DumpedBatch[] {
  const directory = join(dataDirectory, `${topic}-0`)
  return logFileNames(directory).flatMap((name) => batchesOfFile(join(directory, name)))
}

/** Varve reads every batch file in a data directory, Kafka's own topics included, as Kafka does. */
async function expectReadAsDumped(
  release: KafkaRelease,
  dataDirectory: string,
  topics: readonly FilledTopic[],
): Promise<void> {
  const paths = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(log|checkpoint)$/.test(name))
    .map((name) => join(dataDirectory, name))
  const flags = ['--deep-iteration', '--print-data-log', ...base64Decoders]
  const { stdout, stderr } = await dumpLog(release, paths, flags)
  // Compaction and aborted transactions leave gaps, which the tool remarks upon.
  const isGap = (line: string): boolean =>
    /^Non-consecutive offsets in |^ {2}\d+ is followed by \d+$/.test(line)
  expect(dumpComplaints(stderr).filter((line) => !isGap(line))).toEqual([])
  const files = parseDump(stdout)
  expect(files.map((file) => file.path)).toEqual(paths)
  for (const file of files) {
    expect([file.path, file.unrecognised, file.invalidBytes]).toEqual([file.path, [], 0])
    // A live broker writes on in topics of its own.
    const read = batchesOfFile(file.path).slice(0, file.batches.length)
    expect([file.path, read]).toEqual([file.path, file.batches])
  }
  const expected = [
    ...topics.map((topic) => topic.name),
    '__consumer_offsets',
    '__transaction_state',
  ]
  for (const topic of expected) {
    const prefix = join(dataDirectory, `${topic}-0`)
    const own = files.filter((file) => file.path.startsWith(`${prefix}/`))
    expect([topic, own.flatMap((file) => file.batches).length]).not.toEqual([topic, 0])
  }
}
