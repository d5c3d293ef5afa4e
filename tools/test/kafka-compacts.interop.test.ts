import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cleaner } from '@varve/cleaner'
import { LogDirectory } from '@varve/log'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { base64Decoders, dumpLog } from '../src/kafka/dump-log.ts'
import { dumpComplaints, parseDump } from '../src/kafka/dump-log-parser.ts'
import { startBroker } from '../src/kafka/kafka-broker.ts'
import { KafkaClient } from '../src/kafka/kafka-client.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import {
  cleanerHasPassed,
  dirtySegmentBytes,
  writeDirty,
} from './kafka-interop/compacted-topics.ts'
import { expectNothingWrong } from './kafka-interop/nothing-wrong.ts'
import {
  batchesOfFile,
  logFileNames,
  recordsOfPartition,
} from './kafka-interop/partition-contents.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

const topics = ['compacted', 'compacted-transactions'] as const
const policies = {
  'compacted-0': { cleanupPolicy: ['compact'], minCleanableDirtyRatio: 0.01 },
  'compacted-transactions-0': {
    cleanupPolicy: ['compact'],
    minCleanableDirtyRatio: 0.01,
    deleteRetentionMs: 0,
  },
} as const

describeWithKafka((release) => {
  describe('one directory, compacted by a broker, and a copy of it by Varve:', () => {
    describeTwins(release)
  })
})

function describeTwins(release: KafkaRelease): void {
  let root = ''
  const kafkas = (topic: string): string => join(root, 'broker', 'data', `${topic}-0`)
  const ours = (topic: string): string => join(root, 'copy', `${topic}-0`)

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'varve-kafka-compacts-'))
    await fillWithoutCleaning(release, join(root, 'broker'))
    cpSync(join(root, 'broker', 'data'), join(root, 'copy'), { recursive: true })
    await letKafkaClean(release, join(root, 'broker'))
    await letVarveClean(join(root, 'copy'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  test.each(topics)('the same records are left in %s', (topic) => {
    const left = recordsOfPartition(kafkas(topic))
    expect(left.length).toBeGreaterThan(3)
    expect(recordsOfPartition(ours(topic))).toEqual(left)
  })

  test.each(topics)('the same markers are left in %s', (topic) => {
    const left = markersOf(kafkas(topic))
    expect(markersOf(ours(topic))).toEqual(left)
    if (topic === 'compacted-transactions') expect(left.length).toBeGreaterThan(3)
  })

  test.each(topics)('the same batches of %s may lose their tombstones later', (topic) => {
    const left = dyingOf(kafkas(topic))
    expect(left.length).toBeGreaterThan(0)
    expect(dyingOf(ours(topic))).toEqual(left)
  })

  test('Varve finds nothing wrong with its own', async () => {
    await expectNothingWrong(join(root, 'copy'))
  })

  test("Kafka's dump tool reads what Varve has left, and finds its indexes sound", async () => {
    const logs = topics.flatMap((topic) => pathsIn(ours(topic), /\.log$/))
    const flags = ['--deep-iteration', '--print-data-log', ...base64Decoders]
    const dumped = await dumpLog(release, logs, flags)
    expect(dumpComplaints(dumped.stderr).filter((line) => !isAboutGaps(line))).toEqual([])
    const files = parseDump(dumped.stdout)
    expect(files.flatMap((file) => file.unrecognised)).toEqual([])
    expect(files.filter((file) => file.invalidBytes !== 0)).toEqual([])
    const batches = files.flatMap((file) => file.batches)
    expect(batches).toEqual(logs.flatMap((path) => batchesOfFile(path)))
    const indexes = topics.flatMap((topic) => pathsIn(ours(topic), /\.(time)?index$/).slice(0, -2))
    // Of an empty one the tool says no more than that.
    const filled = indexes.filter((path) => statSync(path).size > 0)
    expect(filled.some((path) => path.endsWith('.index'))).toBe(true)
    const sane = await dumpLog(release, filled, ['--index-sanity-check'])
    expect(dumpComplaints(sane.stderr)).toEqual([])
    const passed = parseDump(sane.stdout).map((file) => file.passedSanityCheck)
    expect(passed).toEqual(filled.map(() => true))
  })
}

/** The cleaner finds nothing when it looks for the first time, and does not look again. */
async function fillWithoutCleaning(release: KafkaRelease, directory: string): Promise<void> {
  const settings = { 'log.cleaner.backoff.ms': String(60 * 60_000) }
  const broker = await startBroker(release, { directory, settings })
  try {
    const client = new KafkaClient(release, broker.bootstrapServers)
    await writeDirty(client, release.line)
    await client.close()
    await broker.stop()
  } finally {
    await broker.kill()
  }
}

async function letKafkaClean(release: KafkaRelease, directory: string): Promise<void> {
  const broker = await startBroker(release, { directory })
  try {
    for (const topic of topics) await cleanerHasPassed(broker.dataDirectory, topic)
    await broker.stop()
  } finally {
    await broker.kill()
  }
}

async function letVarveClean(path: string): Promise<void> {
  await using directory = await LogDirectory.open(path, {
    log: { segmentBytes: dirtySegmentBytes, indexIntervalBytes: 512 },
  })
  await using cleaner = new Cleaner(directory, {
    policy: ({ name }) =>
      name === 'compacted-0' || name === 'compacted-transactions-0'
        ? policies[name]
        : { cleanupPolicy: [] },
  })
  const { compaction } = await cleaner.runOnce()
  expect(cleaner.failures).toEqual(new Map())
  expect([...compaction.keys()].sort()).toEqual(topics.map((topic) => `${topic}-0`))
}

/** Compaction leaves gaps in the offsets; the tool lists them for Kafka's own logs too. */
function isAboutGaps(line: string): boolean {
  return /^Non-consecutive offsets in | is followed by \d+$/.test(line)
}

interface Marker {
  readonly offset: number
  readonly producerId: number
  readonly type: string | undefined
}

function markersOf(directory: string): readonly Marker[] {
  return batchesIn(directory)
    .filter(({ isControl }) => isControl)
    .flatMap(({ producerId, records }) =>
      records.map(({ offset, endTransactionMarker }) => {
        return { offset, producerId, type: endTransactionMarker?.type }
      }),
    )
}

/** Base offsets of the batches that have a delete horizon. */
function dyingOf(directory: string): readonly number[] {
  return batchesIn(directory)
    .filter(({ deleteHorizonMs }) => deleteHorizonMs !== null)
    .map(({ baseOffset }) => baseOffset)
}

function batchesIn(directory: string) {
  return logFileNames(directory).flatMap((name) => batchesOfFile(join(directory, name)))
}

function pathsIn(directory: string, pattern: RegExp): readonly string[] {
  const names = readdirSync(directory).filter((name) => pattern.test(name))
  return names.sort().map((name) => join(directory, name))
}
