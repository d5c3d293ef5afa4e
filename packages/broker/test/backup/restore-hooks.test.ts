import {
  BackupCatalogue,
  DirectoryTarget,
  inlineDecoder,
  inlineEncoder,
  Repository,
  type RestoreOptions,
  RestoreRefusedError,
  type RestoreReport,
  restoreBackup,
} from '@varve/backup'
import { nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { restoreHooks } from '../../src/backup/restore-hooks.ts'
import { type DirectoryVarve, openDataDirectory } from '../../src/directory-varve.ts'
import type { Delivery } from '../../src/queues/delivery.ts'

const temporary = makeTemporaryDirectory()
process.once('exit', () => temporary.remove())
let count = 0
const newPath = (what: string): string => `${temporary.path}/${what}-${count++}`

function open(path: string): Promise<DirectoryVarve> {
  return openDataDirectory(path, { cleaning: false })
}

async function send(varve: DirectoryVarve, topic: string, from: number, to: number): Promise<void> {
  const producer = varve.producer()
  for (let index = from; index < to; index++) {
    await producer.send(topic, { value: `${topic} ${index}` }, { partition: 0 })
  }
  await producer.close()
}

async function commit(varve: DirectoryVarve, topic: string, offset: number): Promise<void> {
  const groups = await varve.groups()
  await groups.resetOffsets('billing', [{ topic, partition: 0, offset }])
}

async function committed(varve: DirectoryVarve): Promise<Record<string, number>> {
  const groups = await varve.groups()
  if (!(await groups.list()).includes('billing')) return {}
  const { offsets } = await groups.describe('billing')
  return Object.fromEntries(offsets.map(({ topic, offset }) => [topic, offset]))
}

async function values(varve: DirectoryVarve, topic: string): Promise<string[]> {
  const found: string[] = []
  const log = varve.log(topic, 0)
  for await (const record of log.reader({ from: log.logStartOffset }).records()) {
    found.push(String(record.value))
  }
  return found
}

interface Backed {
  readonly repository: Repository
  readonly data: string
}

/** Topics `orders` (10 records, 8 committed) and `users` (5, 5 committed). */
async function backedUp(): Promise<Backed> {
  const data = newPath('data')
  const repository = await Repository.create(new DirectoryTarget(newPath('repository')))
  await using varve = await open(data)
  await varve.createTopic('orders', { partitions: 2, retentionMs: 5000 })
  await varve.createTopic('users', { cleanupPolicy: ['compact'] })
  await send(varve, 'orders', 0, 10)
  await send(varve, 'users', 0, 5)
  await commit(varve, 'orders', 8)
  await commit(varve, 'users', 5)
  await varve.backup(repository, { encoder: inlineEncoder(nodeFileSystem) })
  return { repository, data }
}

async function restore(
  { repository }: Backed,
  options: RestoreOptions,
  hooks = restoreHooks(),
): Promise<RestoreReport> {
  const backup = await new BackupCatalogue(repository).find('latest')
  const inline = { encoder: inlineEncoder(nodeFileSystem), decoder: inlineDecoder() }
  return restoreBackup(repository, backup, { ...inline, hooks, ...options })
}

describe('restoring a data directory', () => {
  test('gives topics back with settings, ids, records and what groups have committed', async () => {
    const backed = await backedUp()
    const to = newPath('restored')
    const { notes } = await restore(backed, { to })
    expect(notes).toEqual([])
    await using before = await open(backed.data)
    await using after = await open(to)
    expect(await after.listTopics()).toEqual(['orders', 'users'])
    for (const topic of ['orders', 'users']) {
      expect(await after.describeTopic(topic)).toEqual(await before.describeTopic(topic))
      expect(await values(after, topic)).toEqual(await values(before, topic))
    }
    expect(await committed(after)).toEqual({ orders: 8, users: 5 })
  })

  test('takes committed offsets back that lie beyond a restored end, and says so', async () => {
    const backed = await backedUp()
    const to = newPath('restored')
    const offsets = new Map([['orders-0', 6]])
    const { notes } = await restore(backed, { to, point: { kind: 'offsets', offsets } })
    expect(notes).toEqual(['group billing goes on at 6 of orders-0, its end: it had committed 8'])
    await using varve = await open(to)
    expect(await committed(varve)).toEqual({ orders: 6, users: 5 })
    // What comes next is not left out.
    await send(varve, 'orders', 100, 101)
    const consumer = varve.consumer({ group: 'billing', topics: ['orders'], follow: false })
    const found: string[] = []
    for await (const record of consumer) found.push(String(record.value))
    expect(found).toEqual(['orders 100'])
  })

  test('a renamed topic is another topic, and its offsets go with it', async () => {
    const backed = await backedUp()
    const to = newPath('restored')
    await restore(backed, { to, rename: new Map([['orders', 'old-orders']]) })
    await using before = await open(backed.data)
    await using varve = await open(to)
    expect(await varve.listTopics()).toEqual(['old-orders', 'users'])
    const { topicId, settings, partitions } = await varve.describeTopic('old-orders')
    const was = await before.describeTopic('orders')
    expect({ settings, count: partitions.length }).toEqual({ settings: was.settings, count: 2 })
    expect(topicId).not.toBe(was.topicId)
    expect(await committed(varve)).toEqual({ 'old-orders': 8, users: 5 })
    expect(await values(varve, 'old-orders')).toHaveLength(10)
  })

  test('what is left out leaves no committed offsets behind', async () => {
    const backed = await backedUp()
    const to = newPath('restored')
    await restore(backed, { to, select: (topic) => topic !== 'users' })
    await using varve = await open(to)
    expect(await varve.listTopics()).toEqual(['orders'])
    expect(await committed(varve)).toEqual({ orders: 8 })
  })

  test('one partition of several brings the topic, the others empty', async () => {
    const backed = await backedUp()
    const to = newPath('restored')
    await restore(backed, { to, select: (topic, index) => topic === 'orders' && index === 1 })
    await using varve = await open(to)
    expect((await varve.describeTopic('orders')).partitions).toHaveLength(2)
    expect(await values(varve, 'orders')).toEqual([])
  })
})

describe('restoring in place', () => {
  test('a topic alone: the others stay, groups are taken back, and it can be undone', async () => {
    const backed = await backedUp()
    const { data } = backed
    {
      await using varve = await open(data)
      await send(varve, 'orders', 10, 20)
      await send(varve, 'users', 5, 7)
      await commit(varve, 'orders', 15)
      await commit(varve, 'users', 7)
      await varve.createTopic('later')
      await send(varve, 'later', 0, 3)
      await commit(varve, 'later', 2)
    }
    const select = (topic: string): boolean => topic === 'orders'
    const { notes } = await restore(backed, { to: data, isInPlace: true, select })
    expect(notes).toEqual(['group billing goes on at 10 of orders-0, its end: it had committed 15'])
    await using varve = await open(data)
    expect(await varve.listTopics()).toEqual(['users', 'later', 'orders'])
    expect(await values(varve, 'orders')).toHaveLength(10)
    expect(await values(varve, 'users')).toHaveLength(7)
    expect(await values(varve, 'later')).toHaveLength(3)
    expect(await committed(varve)).toEqual({ orders: 10, users: 7, later: 2 })
  })

  test('under another name beside the topic itself', async () => {
    const backed = await backedUp()
    const { data } = backed
    {
      await using varve = await open(data)
      await send(varve, 'orders', 10, 12)
    }
    const select = (topic: string): boolean => topic === 'orders'
    const rename = new Map([['orders', 'orders-then']])
    await restore(backed, { to: data, isInPlace: true, select, rename })
    await using varve = await open(data)
    expect(await values(varve, 'orders')).toHaveLength(12)
    expect(await values(varve, 'orders-then')).toHaveLength(10)
    expect(await committed(varve)).toEqual({ orders: 8, users: 5 })
  })

  test('not under the name of a topic that is there, nor under one that topics cannot have', async () => {
    const backed = await backedUp()
    const select = (topic: string): boolean => topic === 'orders'
    const into = { to: backed.data, isInPlace: true, select }
    for (const name of ['users', '__consumer_offsets']) {
      const restoring = restore(backed, { ...into, rename: new Map([['orders', name]]) })
      await expect(restoring).rejects.toThrow(RestoreRefusedError)
    }
    await expect(
      restore(backed, { ...into, rename: new Map([['orders', 'a/b']]) }),
    ).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT' })
    await using varve = await open(backed.data)
    expect(await values(varve, 'orders')).toHaveLength(10)
  })
})

test('a queue does not believe records finished that came after the restored end', async () => {
  const data = newPath('data')
  const repository = await Repository.create(new DirectoryTarget(newPath('repository')))
  {
    await using varve = await open(data)
    const queue = await varve.queue('mail')
    for (let index = 0; index < 200; index++) await queue.enqueue({ value: `mail ${index}` })
    const deliveries: Delivery[] = []
    for (let index = 0; index < 200; index++) {
      const delivery = await queue.dequeue()
      if (delivery !== null) deliveries.push(delivery)
    }
    for (const [index, delivery] of deliveries.entries()) {
      await (index % 3 === 0 ? delivery.release() : delivery.acknowledge())
    }
    await varve.backup(repository, { encoder: inlineEncoder(nodeFileSystem) })
  }
  const to = newPath('restored')
  const offsets = new Map([['mail-0', 100]])
  const backed = { repository, data }
  const { notes } = await restore(backed, { to, point: { kind: 'offsets', offsets } })
  expect(notes).toEqual(['queue mail, partition 0: nothing is known from offset 100 on'])
  await using varve = await open(to)
  const queue = await varve.queue('mail')
  await queue.enqueue({ value: 'new' })
  const left: string[] = []
  for (let delivery = await queue.dequeue({ waitMs: 300 }); delivery !== null; ) {
    left.push(String(delivery.record.value))
    await delivery.acknowledge()
    delivery = await queue.dequeue({ waitMs: 300 })
  }
  expect(left).toContain('new')
  const old = Array.from({ length: 34 }, (_, index) => `mail ${3 * index}`)
  expect(new Set(left)).toEqual(new Set([...old, 'new']))
})
