import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BackupCatalogue,
  DirectorySource,
  DirectoryTarget,
  inlineDecoder,
  inlineEncoder,
  Repository,
  restoreBackup,
  runBackup,
} from '@varve/backup'
import { nodeFileSystem } from '@varve/log'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consumeAll } from '../src/kafka/console-consumer.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { KafkaClient } from '../src/kafka/kafka-client.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { replacePartition } from '../src/kafka/partition-files.ts'
import type { PlainRecord } from '../src/kafka/plain-record.ts'
import { engineLogs } from './kafka-interop/engine-logs.ts'
import { type FilledTopic, fillTopics } from './kafka-interop/kafka-topics.ts'
import { expectNothingWrong } from './kafka-interop/nothing-wrong.ts'
import { recordsOfPartition } from './kafka-interop/partition-contents.ts'
import { recordsOf } from './kafka-interop/scenario.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => {
  describe('serves what Varve has restored:', () => describeRestored(release))
})

function describeRestored(release: KafkaRelease): void {
  let root = ''
  let broker: KafkaBroker | null = null

  const start = async (directory: string): Promise<KafkaBroker> => {
    broker = await startBroker(release, { directory })
    return broker
  }

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'varve-kafka-restores-'))
  })
  afterAll(async () => {
    await broker?.kill()
    rmSync(root, { recursive: true, force: true })
  })

  test('the whole directory of a stopped broker, on which it starts again', async () => {
    const home = join(root, 'broker')
    const first = await start(home)
    const client = new KafkaClient(release, first.bootstrapServers)
    const topics = await fillTopics(client, release.line)
    await client.consumeAsGroup('readers', 'codec-gzip', 3, { 'max.poll.records': '3' })
    await client.close()
    const isolationLevel = 'read_uncommitted'
    const sent = topics.reduce((sum, topic) => sum + (topic.sent?.length ?? 0), 0)
    // Some of it was deleted since, and some of it is aborted.
    const before = await consumed(release, first, topics, isolationLevel, sent / 2)
    const committed = await consumed(release, first, topics, 'read_committed', sent / 2)
    await first.stop()

    await backUp(first.dataDirectory, join(root, 'of-broker'))
    rmSync(first.dataDirectory, { recursive: true })
    await restore(join(root, 'of-broker'), first.dataDirectory)
    await expectNothingWrong(first.dataDirectory)

    const again = await start(home)
    const served = await consumed(release, again, topics, isolationLevel, countOf(before))
    expect(served).toEqual(before)
    const decided = await consumed(release, again, topics, 'read_committed', countOf(committed))
    expect(decided).toEqual(committed)
    const clientAgain = new KafkaClient(release, again.bootstrapServers)
    // The group goes on where it was: three fewer.
    const left = (before.get('codec-gzip')?.length ?? 0) - 3
    expect(await clientAgain.consumeAsGroup('readers', 'codec-gzip', left)).toBe(left)
    const producer = await clientAgain.openProducer()
    const record = { key: 'after', value: 'restoring', timestamp: 1_700_020_000_000 }
    const [offset = -1] = await producer.send('segments', [record])
    expect(offset).toBe((before.get('segments')?.at(-1)?.offset ?? -1) + 1)
    await clientAgain.close()
    await again.stop()
  })

  test('logs that the engine wrote, given to a broker', async () => {
    const made = join(root, 'made')
    mkdirSync(made)
    await engineLogs.make(made)
    await backUp(made, join(root, 'of-engine'))
    const restored = join(root, 'restored')
    await restore(join(root, 'of-engine'), restored)
    await expectNothingWrong(restored)
    const { scenarios } = engineLogs
    for (const { name } of scenarios) {
      const [there, here] = [made, restored].map((path) => recordsOfPartition(`${path}/${name}-0`))
      expect(here).toEqual(there)
    }
    const home = join(root, 'other-broker')
    const empty = await start(home)
    const client = new KafkaClient(release, empty.bootstrapServers)
    for (const { name } of scenarios) await client.createTopic(name, { 'retention.ms': '-1' })
    await client.close()
    await empty.stop()
    for (const { name } of scenarios) {
      replacePartition(empty.dataDirectory, name, join(restored, `${name}-0`))
    }
    const serving = await start(home)
    for (const isolationLevel of ['read_committed', 'read_uncommitted'] as const) {
      const expected = new Map(scenarios.map((s) => [s.name, recordsOf(s, isolationLevel)]))
      const records = [...expected.values()].reduce((sum, list) => sum + list.length, 0)
      const names = scenarios.map(({ name }) => name)
      const found = await consumeAll(release, serving, { topics: names, isolationLevel, records })
      expect(found).toEqual(expected)
    }
    await serving.stop()
  })
}

type Consumed = ReadonlyMap<string, readonly PlainRecord[]>

function countOf(consumed: Consumed): number {
  return [...consumed.values()].reduce((sum, records) => sum + records.length, 0)
}

/** Everything that a consumer gets, `records` at least. */
function consumed(
  release: KafkaRelease,
  broker: KafkaBroker,
  topics: readonly FilledTopic[],
  isolationLevel: 'read_committed' | 'read_uncommitted',
  records: number,
): Promise<Consumed> {
  const names = topics.map(({ name }) => name)
  return consumeAll(release, broker, { topics: names, isolationLevel, records })
}

async function backUp(directory: string, repositoryPath: string): Promise<void> {
  await using repository = await Repository.create(new DirectoryTarget(repositoryPath))
  const encoder = inlineEncoder(nodeFileSystem)
  const report = await runBackup(repository, new DirectorySource(directory), { encoder })
  expect(report.gaps).toEqual([])
}

async function restore(repositoryPath: string, to: string): Promise<void> {
  await using repository = await Repository.open(new DirectoryTarget(repositoryPath))
  const backup = await new BackupCatalogue(repository).find('latest')
  const workers = { decoder: inlineDecoder(), encoder: inlineEncoder(nodeFileSystem) }
  const report = await restoreBackup(repository, backup, { to, holdsRetention: false, ...workers })
  expect(report.gaps).toEqual([])
}
