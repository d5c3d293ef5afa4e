import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consumeAll } from '../src/kafka/console-consumer.ts'
import { base64Decoders, dumpLog } from '../src/kafka/dump-log.ts'
import { type DumpedFile, dumpComplaints, parseDump } from '../src/kafka/dump-log-parser.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { KafkaClient } from '../src/kafka/kafka-client.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { forgetCleanShutdown, replacePartition } from '../src/kafka/partition-files.ts'
import type { PlainRecord } from '../src/kafka/plain-record.ts'
import type { DirectoryMaker } from './kafka-interop/directory-maker.ts'
import { openCopy, readLog } from './kafka-interop/engine-reading.ts'
import { makers } from './kafka-interop/makers.ts'
import { expectNothingWrong } from './kafka-interop/nothing-wrong.ts'
import { batchesOfFile, recordsOfPartition } from './kafka-interop/partition-contents.ts'
import {
  endOffsetOf,
  type IsolationLevel,
  plainOf,
  recordsOf,
  type Scenario,
} from './kafka-interop/scenario.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

/** What Kafka appends to each log that Varve began. */
const continuation = { key: 'appended by', value: 'Kafka', timestamp: 1_700_010_000_000 }

describeWithKafka((release) => {
  for (const maker of makers) {
    describe(`reads Varve's files (${maker.name}):`, () => describeMaker(release, maker))
  }
})

function describeMaker(release: KafkaRelease, maker: DirectoryMaker): void {
  let root = ''
  const made = (scenario: Scenario): string => join(root, 'made', `${scenario.name}-0`)
  const scenarios = maker.scenarios
  const segmented = named(scenarios, 'segments')
  const transactional = named(scenarios, 'transactions')
  let broker: KafkaBroker | null = null

  const start = async (): Promise<KafkaBroker> => {
    broker = await startBroker(release, { directory: join(root, 'broker') })
    return broker
  }
  const running = (): KafkaBroker => {
    if (broker === null) throw new Error('no broker is running')
    return broker
  }

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'varve-kafka-reads-'))
    mkdirSync(join(root, 'made'))
    await maker.make(join(root, 'made'))
  })
  afterAll(async () => {
    await broker?.kill()
    rmSync(root, { recursive: true, force: true })
  })

  test('Varve finds nothing wrong with them', async () => {
    await expectNothingWrong(join(root, 'made'))
  })

  test('kafka-dump-log prints every batch and record as it was written', async () => {
    const paths = scenarios.flatMap((scenario) => pathsIn(made(scenario), /\.log$/))
    const flags = ['--deep-iteration', '--print-data-log', ...base64Decoders]
    const { stdout, stderr, exitCode } = await dumpLog(release, paths, flags)
    expect(dumpComplaints(stderr)).toEqual([])
    expect(exitCode).toBe(0)
    const files = parseDump(stdout)
    expect(files.map((file) => file.path)).toEqual(paths)
    for (const scenario of scenarios) {
      const own = files.filter((file) => dirname(file.path) === made(scenario))
      expectAsWritten(own, scenario)
    }
  })

  test('kafka-dump-log finds the indexes sound', async () => {
    const directories = scenarios.map(made)
    const indexes = directories.flatMap((directory) => pathsIn(directory, /\.(time)?index$/))
    const sanity = await dumpLog(release, indexes, ['--index-sanity-check'])
    expect(dumpComplaints(sanity.stderr)).toEqual([])
    expect(parseDump(sanity.stdout).map((file) => file.passedSanityCheck)).toEqual(
      indexes.map(() => true),
    )
    const verified = await dumpLog(release, indexes, ['--verify-index-only'])
    expect(dumpComplaints(verified.stderr)).toEqual([])
    expect(parseDump(verified.stdout).flatMap((file) => file.unrecognised)).toEqual([])

    const others = directories.flatMap((directory) => pathsIn(directory, /\.(txnindex|snapshot)$/))
    const dumped = await dumpLog(release, [...indexes, ...others], [])
    expect(dumpComplaints(dumped.stderr)).toEqual([])
    const files = parseDump(dumped.stdout)
    expect(files.flatMap((file) => file.unrecognised)).toEqual([])
    // So that the above is said of something.
    expect(files.flatMap((file) => file.indexEntries).length).toBeGreaterThan(50)
    expect(files.flatMap((file) => file.timeIndexEntries).length).toBeGreaterThan(50)
    expect(files.flatMap((file) => file.abortedTransactions)).toHaveLength(5)
  })

  test('a broker that is given the segments serves them to its console consumer', async () => {
    const empty = await start()
    const client = new KafkaClient(release, empty.bootstrapServers)
    for (const scenario of scenarios) {
      await client.createTopic(scenario.name, { 'retention.ms': '-1' })
    }
    await client.close()
    await empty.stop()
    for (const scenario of scenarios) {
      replacePartition(empty.dataDirectory, scenario.name, made(scenario))
    }
    if (!maker.closesCleanly) forgetCleanShutdown(empty.dataDirectory)
    await start()
    await expectServed(release, running(), scenarios, [])
    if (!maker.closesCleanly) return
    // A broker that recovers makes indexes of its own: finding ours there, it has believed them.
    const indexes = pathsIn(made(segmented), /\.(time)?index$/).slice(0, -2)
    expect(indexes.length).toBeGreaterThan(4)
    const served = join(running().dataDirectory, `${segmented.name}-0`)
    for (const path of indexes) {
      expect(readFileSync(join(served, basename(path)))).toEqual(readFileSync(path))
    }
  })

  test('a broker finds offsets and timestamps anywhere in the segments', async () => {
    const client = new KafkaClient(release, running().bootstrapServers)
    const records = recordsOf(segmented, 'read_uncommitted')
    for (let i = 0; i < records.length; i += 31) {
      const { offset, timestamp } = records[i] as PlainRecord
      const firstFrom = await client.firstOffsetFrom(segmented.name, offset)
      expect([offset, firstFrom]).toEqual([offset, offset])
      const later = records.find((record) => record.timestamp >= timestamp)?.offset
      const found = await client.offsetForTimestamp(segmented.name, timestamp)
      expect([timestamp, found]).toEqual([timestamp, later])
    }
    await client.close()
  })

  test('the broker goes on where the log ends', async () => {
    const client = new KafkaClient(release, running().bootstrapServers)
    const producer = await client.openProducer()
    for (const scenario of scenarios) {
      const offsets = await producer.send(scenario.name, [continuation])
      expect([scenario.name, ...offsets]).toEqual([scenario.name, endOffsetOf(scenario)])
    }
    await client.close()
  })

  test('a broker that crashed recovers the segments and serves all of that again', async () => {
    const crashed = running()
    await crashed.kill()
    forgetCleanShutdown(crashed.dataDirectory)
    await start()
    await expectServed(release, running(), scenarios, [continuation])
    const recovered = join(running().dataDirectory, `${transactional.name}-0`)
    const indexes = pathsIn(made(transactional), /\.txnindex$/)
    expect(indexes.length).toBeGreaterThan(1)
    for (const path of indexes) {
      expect(readFileSync(join(recovered, basename(path)))).toEqual(readFileSync(path))
    }
  })

  test('what the broker leaves when it shuts down, Varve verifies and reads', async () => {
    const stopped = running()
    await stopped.stop()
    await expectNothingWrong(stopped.dataDirectory)
    await using directory = await openCopy(stopped.dataDirectory, join(root, 'copy'))
    expect(directory.failures).toEqual(new Map())
    for (const scenario of scenarios) {
      const log = directory.log(scenario.name, 0)
      const everything = expectedOf(scenario, 'read_uncommitted', [continuation])
      expect(await readLog(log, 'uncommitted')).toEqual(everything)
      expect(recordsOfPartition(log.directory)).toEqual(everything)
      const committed = expectedOf(scenario, 'read_committed', [continuation])
      expect(await readLog(log, 'committed')).toEqual(committed)
    }
  })
}

function named(scenarios: readonly Scenario[], name: string): Scenario {
  const scenario = scenarios.find((candidate) => candidate.name === name)
  if (scenario === undefined) throw new Error(`no scenario is called ${name}`)
  return scenario
}

type Continuation = readonly (typeof continuation)[]

function expectedOf(scenario: Scenario, isolation: IsolationLevel, more: Continuation): unknown[] {
  const isCut =
    isolation === 'read_committed' &&
    scenario.steps.some((step) => step.kind === 'batch' && step.outcome === 'open')
  const end = endOffsetOf(scenario)
  const appended = isCut ? [] : more.map((record, i) => plainOf(record, end + i))
  return [...recordsOf(scenario, isolation), ...appended]
}

/** `kafka-console-consumer` prints what was written, in both isolation levels. */
async function expectServed(
  release: KafkaRelease,
  broker: KafkaBroker,
  scenarios: readonly Scenario[],
  more: Continuation,
): Promise<void> {
  const topics = scenarios.map((scenario) => scenario.name)
  const isolationLevels = ['read_committed', 'read_uncommitted'] as const
  const expectServedAt = async (isolationLevel: IsolationLevel): Promise<void> => {
    const expected = new Map(
      scenarios.map((scenario) => [scenario.name, expectedOf(scenario, isolationLevel, more)]),
    )
    const records = [...expected.values()].reduce((sum, list) => sum + list.length, 0)
    const consumed = await consumeAll(release, broker, { topics, isolationLevel, records })
    for (const topic of topics) {
      expect([isolationLevel, topic, consumed.get(topic)]).toEqual([
        isolationLevel,
        topic,
        expected.get(topic),
      ])
    }
  }
  await Promise.all(isolationLevels.map(expectServedAt))
}

/** What `kafka-dump-log` prints of a log is what was written, and what Varve itself reads. */
function expectAsWritten(files: readonly DumpedFile[], scenario: Scenario): void {
  expect(files.flatMap((file) => file.unrecognised)).toEqual([])
  expect(files.filter((file) => file.invalidBytes !== 0)).toEqual([])
  const batches = files.flatMap((file) => file.batches)
  expect(batches.filter((batch) => !batch.isValid)).toEqual([])
  expect(batches).toEqual(files.flatMap((file) => batchesOfFile(file.path)))
  const data = batches.filter((batch) => !batch.isControl).flatMap((batch) => batch.records)
  expect(data.map(withoutHeaders)).toEqual(
    recordsOf(scenario, 'read_uncommitted').map(withoutHeaders),
  )
}

/** The tool prints of headers only the keys. */
function withoutHeaders(record: Omit<PlainRecord, 'headers'>): Omit<PlainRecord, 'headers'> {
  const { offset, timestamp, key, value } = record
  return { offset, timestamp, key, value }
}

function pathsIn(directory: string, pattern: RegExp): readonly string[] {
  const names = readdirSync(directory).filter((name) => pattern.test(name))
  return names.sort().map((name) => join(directory, name))
}
