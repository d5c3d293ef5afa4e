import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogReadOnly } from '@varve/log'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consumeAll } from '../src/kafka/console-consumer.ts'
import { base64Decoders, dumpLog } from '../src/kafka/dump-log.ts'
import { type DumpedBatch, dumpComplaints, parseDump } from '../src/kafka/dump-log-parser.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { KafkaClient } from '../src/kafka/kafka-client.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import type { PlainRecord } from '../src/kafka/plain-record.ts'
import { fillCompacted } from './kafka-interop/compacted-topics.ts'
import { followLog, openCopy, readLog } from './kafka-interop/engine-reading.ts'
import { appendMore, type FilledTopic, fillTopics } from './kafka-interop/kafka-topics.ts'
import { expectNothingWrong } from './kafka-interop/nothing-wrong.ts'
import {
  batchesOfFile,
  logFileNames,
  recordsOfPartition,
} from './kafka-interop/partition-contents.ts'
import { plainOf } from './kafka-interop/scenario.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => {
  describe('writes, and Varve reads:', () => describeReading(release))
})

function describeReading(release: KafkaRelease): void {
  let root = ''
  let broker: KafkaBroker | null = null
  let client: KafkaClient | null = null
  let topics: readonly FilledTopic[] = []
  let consumed = { read_committed: nothing, read_uncommitted: nothing }
  const dataDirectory = (): string => join(root, 'data')

  const start = async (): Promise<KafkaClient> => {
    broker = await startBroker(release, { directory: root })
    client = new KafkaClient(release, broker.bootstrapServers)
    return client
  }

  /** What the console consumer gets of the topics; about how many records is told beforehand. */
  const consume = async (records: number): Promise<void> => {
    if (broker === null) throw new Error('no broker is running')
    const names = topics.map((topic) => topic.name)
    const all = { topics: names, isolationLevel: 'read_uncommitted', records } as const
    // How many are committed is the consumer's to say; more than half of them are.
    const committed = { ...all, isolationLevel: 'read_committed', records: records / 2 } as const
    const [read_committed, read_uncommitted] = await Promise.all([
      consumeAll(release, broker, committed),
      consumeAll(release, broker, all),
    ])
    consumed = { read_committed, read_uncommitted }
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
    const visible = topics.map(({ name, sent }) =>
      recordsOf(dataDirectory(), name).filter((record) => isKept(record, sent)),
    )
    await consume(visible.flat().length)
    const { read_uncommitted } = consumed
    for (const [i, { name, sent }] of topics.entries()) {
      expect([name, read_uncommitted.get(name)]).toEqual([name, visible[i]])
      if (sent !== null) expect([name, read_uncommitted.get(name)]).toEqual([name, sent])
    }
  })

  test('the same, through logs opened read-only beside the live broker', async () => {
    for (const { name, sent } of topics) {
      await using log = await openLogReadOnly(join(dataDirectory(), `${name}-0`))
      // A live broker keeps the log start offset in its memory for a minute.
      const isVisible = (record: PlainRecord): boolean => isKept(record, sent)
      for (const [ours, theirs] of isolations) {
        const read = (await readLog(log, ours)).filter(isVisible)
        expect([name, ours, read]).toEqual([name, ours, consumed[theirs].get(name)])
      }
    }
  })

  test('what a live broker appends, following it', async () => {
    const followed = topics.find(({ name }) => name === 'segments')
    if (client === null || followed?.sent == null) throw new Error('there is nothing to follow')
    const before = followed.sent.length
    await using log = await openLogReadOnly(join(dataDirectory(), 'segments-0'))
    const seen = followLog(log, log.highWatermark, 50, 30_000)
    await appendMore(client, followed)
    expect(await seen).toEqual(followed.sent.slice(before, before + 50))
    // The broker is asked again, so that all tests that follow expect the same.
    await consume(
      [...consumed.read_uncommitted.values()].flat().length + followed.sent.length - before,
    )
  })

  test('a copy of the live directory, opened as logs', async () => {
    const copy = join(root, 'copy-of-live')
    const directory = await openCopy(dataDirectory(), copy)
    expect(directory.failures).toEqual(new Map())
    for (const { name, sent } of topics) {
      const log = directory.log(name, 0)
      expect([name, log.recoveryReport.clean, log.recoveryReport.cut]).toEqual([name, false, null])
      const read = await readLog(log, 'uncommitted')
      expect([name, read.filter((record) => isKept(record, sent))]).toEqual([
        name,
        consumed.read_uncommitted.get(name),
      ])
    }
    await directory.close()
    await expectNothingWrong(copy)
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

  test('the directory of a broker that has shut down, opened as logs', async () => {
    await using directory = await openCopy(dataDirectory(), join(root, 'copy-of-stopped'))
    expect(directory.failures).toEqual(new Map())
    for (const { recoveryReport, name } of directory.logs.values()) {
      const { clean, cut, rebuiltFiles } = recoveryReport
      expect({ name, clean, cut, rebuiltFiles }).toEqual({
        name,
        clean: true,
        cut: null,
        rebuiltFiles: [],
      })
    }
    for (const { name } of topics) {
      for (const [ours, theirs] of isolations) {
        const read = await readLog(directory.log(name, 0), ours)
        expect([name, ours, read]).toEqual([name, ours, consumed[theirs].get(name)])
      }
    }
    const records = consumed.read_uncommitted.get('segments') ?? []
    for (let i = 0; i < records.length; i += 31) {
      const { timestamp } = records[i] as PlainRecord
      const expected = records.find((record) => record.timestamp >= timestamp)?.offset
      const found = await directory.log('segments', 0).offsetForTimestamp(timestamp)
      expect([timestamp, found?.offset]).toEqual([timestamp, expected])
    }
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

  test('the directory of a broker that was killed, goes on with it, and gives it back', async () => {
    const copy = join(root, 'copy-of-killed')
    const expected = new Map<string, readonly PlainRecord[]>()
    const directory = await openCopy(dataDirectory(), copy)
    expect(directory.failures).toEqual(new Map())
    for (const { name, sent } of topics) {
      const log = directory.log(name, 0)
      expect([name, log.recoveryReport.clean, log.recoveryReport.cut]).toEqual([name, false, null])
      const read = await readLog(log, 'uncommitted')
      const found = recordsOf(dataDirectory(), name).filter((record) => isKept(record, sent))
      expect([name, read]).toEqual([name, found])
      const { baseOffset } = await log.append(handedBack)
      expected.set(name, [...read, plainOf(handedBack, baseOffset)])
    }
    await directory.close()
    await expectNothingWrong(copy)

    rmSync(dataDirectory(), { recursive: true })
    renameSync(copy, dataDirectory())
    await (await start()).close()
    await consume([...expected.values()].flat().length)
    for (const { name } of topics) {
      expect([name, consumed.read_uncommitted.get(name)]).toEqual([name, expected.get(name)])
    }
    await broker?.stop()
    await expectReadAsDumped(release, dataDirectory(), topics)
  })
}

/** What Varve and Kafka call the same thing. */
const isolations = [
  ['uncommitted', 'read_uncommitted'],
  ['committed', 'read_committed'],
] as const

const nothing: ReadonlyMap<string, readonly PlainRecord[]> = new Map()

/** What Varve appends to each log that Kafka began. */
const handedBack = { key: 'appended by', value: 'Varve', timestamp: 1_700_100_000_000 }

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
  await expectNothingWrong(dataDirectory)
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
