import { chmodSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { TopicNotFoundError } from '../../src/base/broker-errors.ts'
import { RecordsDeletedError } from '../../src/consuming/consumer-errors.ts'
import { openDataDirectory } from '../../src/directory-varve.ts'
import { ReadOnlyError } from '../../src/reading/read-only-error.ts'
import {
  type ReadVarveOptions,
  readVarve,
  type VarveReader,
} from '../../src/reading/varve-reader.ts'
import {
  dataPath,
  errorOf,
  type Machine,
  newMachine,
  openOn,
  takeValues,
} from '../broker-fixture.ts'

/** Beside an owner whose clock stands still, readers look by the system's. */
function readerOn({ fs }: Machine, options: ReadVarveOptions = {}): Promise<VarveReader> {
  return readVarve(dataPath, { fs, clock: systemClock, pollMs: 1, ...options })
}

describe('a data directory that somebody else has open', () => {
  test('is read as far as its owner has made it visible, and followed', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    await varve.createTopic('orders', { partitions: 2 })
    const producer = varve.producer()
    await producer.send('orders', { value: 'a' }, { partition: 0 })
    await using reader = await readerOn(machine)
    const consumer = reader.consumer({ topics: ['orders'] })
    expect(await takeValues(consumer, 1)).toEqual(['a'])
    const next = consumer.next()
    await producer.send('orders', { value: 'b' }, { partition: 1 })
    expect(String((await next).value?.value)).toBe('b')
    expect(consumer.lag().map(({ lag }) => lag)).toEqual([0, 0])
    const ended = reader.consumer({ topics: ['orders'], follow: false })
    expect((await takeValues(ended, 9)).sort()).toEqual(['a', 'b'])
  })

  test('shows no transaction before it is committed, and none that was aborted', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    await varve.createTopic('orders')
    const producer = varve.producer({ transactionalId: 'p' })
    const transact = async (value: string, how: 'abort' | 'commit'): Promise<void> => {
      const transaction = await producer.begin()
      await transaction.send('orders', { value })
      await transaction[how]()
    }
    await transact('aborted', 'abort')
    await transact('committed', 'commit')
    const open = await producer.begin()
    await open.send('orders', { value: 'open' })
    await using reader = await readerOn(machine)
    const consumer = reader.consumer({ topics: ['orders'] })
    expect(await takeValues(consumer, 1)).toEqual(['committed'])
    const all = reader.consumer({ topics: ['orders'], isolation: 'uncommitted', follow: false })
    expect(await takeValues(all, 9)).toEqual(['aborted', 'committed', 'open'])
    const latest = reader.consumer({ topics: ['orders'], from: 'latest' })
    await latest.start()
    const description = await reader.describeTopic('orders')
    expect(description).toMatchObject({
      name: 'orders',
      topicId: (await varve.describeTopic('orders')).topicId,
      partitions: [{ highWatermark: 5, lastStableOffset: 4, error: null }],
    })
    const waiting = consumer.next()
    await open.commit()
    expect(String((await waiting).value?.value)).toBe('open')
    expect(await takeValues(latest, 1)).toEqual(['open'])
  })

  test('has the topics that its owner makes, and partitions that are added', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    await using reader = await readerOn(machine)
    expect(await reader.listTopics()).toEqual([])
    await errorOf(reader.describeTopic('orders'), TopicNotFoundError)
    await varve.createTopic('orders')
    expect(await reader.listTopics()).toEqual(['orders'])
    const assigned: number[] = []
    const consumer = reader.consumer({
      topics: ['orders'],
      from: 'latest',
      onAssigned: (partitions) => void assigned.push(...partitions.map((one) => one.partition)),
    })
    await consumer.start()
    await varve.addPartitions('orders', 3)
    // Nothing of a partition that has just been made may be passed over.
    await varve.producer().send('orders', { value: 'x' }, { partition: 2 })
    expect(await takeValues(consumer, 1)).toEqual(['x'])
    expect(assigned).toEqual([0, 1, 2])
    expect((await reader.describeTopic('orders')).partitions).toHaveLength(3)
    await varve.alterTopic('orders', { recordTtlMs: 5 })
    expect((await reader.describeTopic('orders')).settings.recordTtlMs).toBe(5)
  })

  test('ends a consumer when its topic is deleted, even if one of its name is made', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    const producer = varve.producer()
    await varve.createTopic('orders')
    await producer.send('orders', { value: 'old' })
    await using reader = await readerOn(machine)
    const consumer = reader.consumer({ topics: ['orders'] })
    const listed = reader.consumer({ assignment: [{ topic: 'orders', partition: 0 }] })
    for (const one of [consumer, listed]) expect(await takeValues(one, 1)).toEqual(['old'])
    const waiting = errorOf(consumer.next(), TopicNotFoundError)
    const waitingToo = errorOf(listed.next(), TopicNotFoundError)
    await varve.deleteTopic('orders')
    await varve.createTopic('orders')
    for (const value of ['new', 'newer']) await producer.send('orders', { value })
    await waiting
    await waitingToo
    const anew = reader.consumer({ topics: ['orders'], follow: false })
    expect(await takeValues(anew, 9)).toEqual(['new', 'newer'])
  })

  test('says which records retention has taken from under a reader', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine, { cleaning: false })
    await varve.createTopic('orders', { segmentBytes: 1024 })
    const producer = varve.producer()
    for (let index = 0; index < 40; index++) {
      await producer.send('orders', { value: `${index}`.padEnd(200, '.') })
    }
    await using reader = await readerOn(machine)
    const assignment = [{ topic: 'orders', partition: 0 }]
    const consumer = reader.consumer({ assignment, fetchBytes: 16 * 1024, bufferBytes: 32 * 1024 })
    expect((await consumer.next()).value?.offset).toBe(0)
    const told: RecordsDeletedError[] = []
    const lenient = reader.consumer({
      assignment,
      from: 3,
      whenDeleted: 'earliest',
      onDeleted: (error) => void told.push(error),
    })
    await varve.log('orders', 0).deleteSegmentsBefore(37)
    await consumer.seek({ topic: 'orders', partition: 0 }, 1)
    const error = await errorOf(consumer.next(), RecordsDeletedError)
    expect(error).toMatchObject({ position: 1, logStartOffset: 37, logEndOffset: 40 })
    expect((await lenient.next()).value?.offset).toBe(37)
    expect(told).toHaveLength(1)
  })

  test('goes on while its owner compacts: the latest of each key, in order', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine, { cleaning: { workers: 0 } })
    const settings = { segmentBytes: 1024, minCleanableDirtyRatio: 0.01, fileDeleteDelayMs: 0 }
    await varve.createTopic('orders', { cleanupPolicy: 'compact', ...settings })
    const producer = varve.producer()
    const sendAll = async (round: number): Promise<void> => {
      for (let key = 0; key < 10; key++) {
        await producer.send('orders', { key: `k${key}`, value: `${round}`.padEnd(150, '.') })
      }
    }
    await using reader = await readerOn(machine)
    const consumer = reader.consumer({ topics: ['orders'], fetchBytes: 16 * 1024 })
    const latest = new Map<string, number>()
    let last = -1
    const readTo = async (offset: number): Promise<void> => {
      while (last < offset) {
        const { value: record } = await consumer.next()
        if (record === undefined) throw new Error('the consumer has ended')
        expect(record.offset).toBeGreaterThan(last)
        last = record.offset
        latest.set(String(record.key), Number.parseInt(String(record.value), 10))
      }
    }
    for (let round = 0; round < 8; round++) {
      await sendAll(round)
      await varve.log('orders', 0).roll()
      machine.clock.advance(1)
      const { compaction } = await varve.cleaner.runOnce()
      if (round > 0) expect(compaction.size).toBe(1)
      await readTo(round * 10 + 5)
    }
    await readTo(79)
    expect([...latest.values()]).toEqual(new Array(10).fill(7))
    const fresh = reader.consumer({ topics: ['orders'], follow: false })
    expect((await takeValues(fresh, 999)).length).toBeLessThan(40)
  })

  test('gives a group its committed offsets to begin at, and commits nothing', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    await varve.createTopic('orders')
    await varve.producer().send('orders', [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
    const owner = varve.consumer({ group: 'billing', topics: ['orders'] })
    const { value: first } = await owner.next()
    await owner.commit(first)
    await owner.close()
    await using reader = await readerOn(machine)
    const consumer = reader.consumer({ group: 'billing', topics: ['orders'] })
    expect(await takeValues(consumer, 1)).toEqual(['b'])
    expect(consumer.group).toBe('billing')
    const error = await errorOf(consumer.commit(), ReadOnlyError)
    expect(error.message).toContain('billing')
    expect(error.hint).toContain('openVarve')
    const handled: string[] = []
    const running = reader.consumer({ group: 'billing', topics: ['orders'], follow: false })
    await running.run({ handler: ({ value }) => void handled.push(String(value)) })
    expect(handled).toEqual(['b', 'c'])
    const other = reader.consumer({ group: 'nobody', topics: ['orders'], follow: false })
    expect(await takeValues(other, 9)).toEqual(['a', 'b', 'c'])
    await using groups = await reader.groups()
    expect(groups.group('billing').offsets.map(({ offset }) => offset)).toEqual([1])
  })

  test('refuses what cannot be done', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    await varve.createTopic('orders')
    await using reader = await readerOn(machine)
    const auto = { topics: ['orders'], autoCommitMs: 5 }
    expect(() => reader.consumer(auto)).toThrow(ReadOnlyError)
    expect(() => reader.consumer({})).toThrow(InvalidArgumentError)
    expect(() => reader.consumer({ topics: ['orders'], group: '' })).toThrow(InvalidArgumentError)
    const consumer = reader.consumer({ topics: ['orders'] })
    await errorOf(consumer.commit(), InvalidArgumentError)
    await errorOf(reader.consumer({ topics: ['none'] }).next(), TopicNotFoundError)
    await errorOf(readerOn(machine, { pollMs: 0 }), InvalidArgumentError)
    await using log = await reader.log('orders', 0)
    expect(log.highWatermark).toBe(0)
  })
})

/** Everything that could have changed. */
function treeOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .sort()
    .map((path) => {
      const { mode, size, mtimeMs, ctimeMs, ino } = lstatSync(path)
      const bytes = lstatSync(path).isDirectory() ? '' : readFileSync(path, 'latin1')
      return JSON.stringify({ path, mode, size, mtimeMs, ctimeMs, ino, bytes })
    })
}

/** What a user may do that owns nothing, when this is the one who may do everything. */
async function unprivileged(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}

test('nothing is ever written, so a directory without write permission will do', async () => {
  using temporary = makeTemporaryDirectory()
  const path = `${temporary.path}/data`
  const varve = await openDataDirectory(path, { cleaning: false })
  await varve.createTopic('orders', { partitions: 2, segmentBytes: 1024 })
  const producer = varve.producer()
  for (let index = 0; index < 20; index++) {
    await producer.send('orders', { key: `k${index}`, value: 'x'.repeat(200) })
  }
  const member = varve.consumer({ group: 'g', topics: ['orders'] })
  await member.next()
  await member.commit()
  await varve.close()
  const directories = [path, ...readdirSync(path).map((name) => join(path, name))]
  for (const each of directories) chmodSync(each, lstatSync(each).isDirectory() ? 0o555 : 0o444)
  chmodSync(temporary.path, 0o755)
  const before = treeOf(path)
  await unprivileged(async () => {
    await using reader = await readVarve(path, { pollMs: 1 })
    const consumer = reader.consumer({ topics: ['orders'], follow: false })
    expect(await takeValues(consumer, 99)).toHaveLength(20)
    const following = reader.consumer({ group: 'g', topics: ['orders'] })
    expect(await takeValues(following, 19)).toHaveLength(19)
    await reader.describeTopic('orders')
    await using groups = await reader.groups()
    expect(groups.groups).toHaveLength(1)
  })
  expect(treeOf(path)).toEqual(before)
  for (const each of directories) chmodSync(each, 0o755)
})
