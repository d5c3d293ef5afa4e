import { randomBytes } from 'node:crypto'
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
import { type Log, LogDirectory, nodeFileSystem } from '@varve/log'
import { newTopicId } from '@varve/log/files'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { endTransactionMarkerBatch, RecordBatchBuilder } from '@varve/record'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { restoreHooks } from '../../src/backup/restore-hooks.ts'
import { type DirectoryVarve, openDataDirectory } from '../../src/directory-varve.ts'
import {
  encodeTransactionKey,
  encodeTransactionValue,
} from '../../src/transactions/transaction-records.ts'

let temporary = makeTemporaryDirectory()
let varve: DirectoryVarve
let repository: Repository

beforeEach(async () => {
  temporary = makeTemporaryDirectory()
  repository = await Repository.create(new DirectoryTarget(`${temporary.path}/repository`))
  varve = await openDataDirectory(`${temporary.path}/data`, { cleaning: false })
})

afterEach(async () => {
  await varve.close()
  temporary.remove()
})

const latest = () => new BackupCatalogue(repository).find('latest')

async function restored(): Promise<DirectoryVarve> {
  const backup = await latest()
  const to = `${temporary.path}/restored`
  await restoreBackup(repository, backup, {
    ...{ to, hooks: restoreHooks() },
    ...{ decoder: inlineDecoder(), encoder: inlineEncoder(nodeFileSystem) },
  })
  return openDataDirectory(to, { cleaning: false })
}

async function backUp(): Promise<void> {
  const report = await varve.backup(repository, { encoder: inlineEncoder(nodeFileSystem) })
  expect(report.gaps).toEqual([])
}

async function valuesOf(log: Log, isolation: 'committed' | 'uncommitted'): Promise<string[]> {
  const found: string[] = []
  for await (const { value } of log.reader({ from: log.logStartOffset, isolation }).records()) {
    found.push(String(value))
  }
  return found
}

/** One transaction committed, one aborted, one under way, and what is in none. */
async function live(): Promise<void> {
  await varve.createTopic('orders', { partitions: 2, retentionMs: 7 * 86_400_000 })
  await varve.createTopic('balances', { cleanupPolicy: ['compact'], segmentBytes: 1_000_000 })
  await varve.createTopic('nothing', { partitions: 3 })
  const plain = varve.producer({ compression: 'zstd' })
  const headers = [
    { key: 'h', value: 'one' },
    { key: 'h', value: null },
    { key: 'g', value: '' },
  ]
  await plain.send('orders', { key: 'o', value: 'plain', headers }, { partition: 0 })
  await plain.send('balances', { key: 'gone', value: null })
  await plain.close()
  const mover = varve.producer({ transactionalId: 'mover' })
  const committed = await mover.begin()
  await committed.send('orders', { value: 'committed' }, { partition: 0 })
  await committed.send('balances', { key: 'b', value: 'committed' })
  await committed.sendOffsets('billing', [{ topic: 'orders', partition: 0, offset: 1 }])
  await committed.commit()
  const aborted = await mover.begin()
  await aborted.send('orders', { value: 'aborted' }, { partition: 0 })
  await aborted.abort()
}

test('transactions that were decided stay so, and one under way is aborted by its next producer', async () => {
  await live()
  const under = await varve.producer({ transactionalId: 'other' }).begin()
  await under.send('orders', { value: 'under way' }, { partition: 0 })
  await under.send('orders', { value: 'under way too' }, { partition: 1 })
  await backUp()
  const before = varve.log('orders', 0)
  const facts = factsOf(before)
  const all = await valuesOf(before, 'uncommitted')
  await under.abort()
  await using copy = await restored()
  const log = copy.log('orders', 0)
  expect(factsOf(log)).toEqual(facts)
  expect(await valuesOf(log, 'uncommitted')).toEqual(all)
  expect(await valuesOf(log, 'committed')).toEqual(['plain', 'committed'])
  expect(await valuesOf(copy.log('balances', 0), 'committed')).toEqual(['null', 'committed'])
  const next = await copy.producer({ transactionalId: 'other' }).begin()
  await next.send('orders', { value: 'after' }, { partition: 0 })
  await next.commit()
  expect(await valuesOf(log, 'committed')).toEqual(['plain', 'committed', 'after'])
  expect(await valuesOf(copy.log('orders', 1), 'committed')).toEqual([])
})

test('topics have their settings, ids and partitions, and groups go on at their record', async () => {
  await live()
  await backUp()
  const names = ['orders', 'balances', 'nothing']
  const topics = await Promise.all(names.map((name) => varve.describeTopic(name)))
  await using copy = await restored()
  expect(await copy.listTopics()).toEqual(names)
  expect(await Promise.all(names.map((name) => copy.describeTopic(name)))).toEqual(topics)
  const { offsets } = await (await copy.groups()).describe('billing')
  expect(offsets).toMatchObject([{ topic: 'orders', partition: 0, offset: 1 }])
  const consumer = copy.consumer({ group: 'billing', topics: ['orders'] })
  for await (const record of consumer) {
    expect([record.offset, String(record.value)]).toEqual([1, 'committed'])
    break
  }
  await consumer.close()
})

test('a transaction that was just being ended is restored whole to the stable point', async () => {
  await varve.close()
  const data = `${temporary.path}/cut-short`
  await decidedInOnePartition(data)
  varve = await openDataDirectory(`${temporary.path}/data`, { cleaning: false })
  const source = new DirectorySource(data)
  await runBackup(repository, source, { encoder: inlineEncoder(nodeFileSystem) })
  for (const [name, hooks, ends] of [
    ['knowing', restoreHooks(), [2, 1]],
    // Without knowing of transactions the second partition is cut.
    ['not-knowing', {}, [2, 0]],
  ] as const) {
    const to = `${temporary.path}/${name}`
    const report = await restoreBackup(repository, await latest(), {
      ...{ to, hooks, point: { kind: 'stable' } },
      ...{ decoder: inlineDecoder(), encoder: inlineEncoder(nodeFileSystem) },
    })
    const orders = report.partitions.filter((partition) => partition.name.startsWith('orders'))
    expect(orders.map(({ endOffset }) => endOffset)).toEqual(ends)
  }
  await using copy = await openDataDirectory(`${temporary.path}/knowing`, { cleaning: false })
  await expect.poll(() => copy.log('orders', 1).lastStableOffset, { timeout: 10_000 }).toBe(2)
  expect(await valuesOf(copy.log('orders', 0), 'committed')).toEqual(['both'])
  expect(await valuesOf(copy.log('orders', 1), 'committed')).toEqual(['both'])
})

/** What a crash leaves right after the first marker of a transaction in two partitions. */
async function decidedInOnePartition(path: string): Promise<void> {
  await using directory = await LogDirectory.open(path)
  const producer = { producerId: 7, producerEpoch: 0 }
  const partitions = [0, 1].map((partition) => ({ topic: 'orders', partition }))
  const topicId = newTopicId(randomBytes)
  for (const { topic, partition } of partitions) {
    const log = await directory.createLog(topic, partition, { topicId })
    const builder = new RecordBatchBuilder({
      ...producer,
      ...{ baseSequence: 0, isTransactional: true, defaultTimestamp: Date.now() },
    })
    await log.appendBatch(builder.append({ value: 'both' }).build())
  }
  const marker = endTransactionMarkerBatch({
    ...producer,
    ...{ type: 'commit', coordinatorEpoch: 0, timestamp: Date.now() },
  })
  await directory.log('orders', 0).appendBatch(marker, { origin: 'coordinator' })
  const states = await directory.createLog('__transaction_state', 0)
  const value = encodeTransactionValue({
    ...{ ...producer, previousProducerId: -1, timeoutMs: 60_000, status: 'prepareCommit' },
    ...{ partitions, lastUpdateMs: Date.now(), startMs: Date.now() },
  })
  await states.append({ key: encodeTransactionKey('mover'), value })
}

function factsOf(log: Log): object {
  const { logStartOffset, logEndOffset, lastStableOffset } = log
  const producers = log.producers().map(({ producerId, epoch, currentTransactionFirstOffset }) => ({
    ...{ producerId, epoch, currentTransactionFirstOffset },
  }))
  const aborted = log.abortedTransactions(logStartOffset, logEndOffset)
  return { logStartOffset, logEndOffset, lastStableOffset, producers, aborted }
}
