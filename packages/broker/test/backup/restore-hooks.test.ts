import { readdirSync, readFileSync } from 'node:fs'
import {
  DirectorySource,
  DirectoryTarget,
  inlineEncoder,
  Repository,
  RestoreRefusedError,
  runBackup,
} from '@varve/backup'
import { nodeFileSystem } from '@varve/log'
import { describe, expect, test } from 'vitest'
import {
  backedUp,
  commit,
  committed,
  newPath,
  open,
  restore,
  send,
  values,
} from './restore-fixture.ts'

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

  test('makes indexes by the settings that the topic was given', async () => {
    const data = newPath('data')
    const repository = await Repository.create(new DirectoryTarget(newPath('repository')))
    {
      await using varve = await open(data)
      await varve.createTopic('fine', { indexIntervalBytes: 100, segmentBytes: 4096 })
      await varve.createTopic('full', { indexIntervalBytes: 0, segmentIndexBytes: 48 })
      for (const topic of ['fine', 'full']) {
        for (let index = 0; index < 30; index++) {
          await varve.log(topic, 0).append({ value: Buffer.alloc(200), timestamp: index })
        }
        await varve.log(topic, 0).roll()
      }
    }
    const source = new DirectorySource(data)
    await runBackup(repository, source, { encoder: inlineEncoder(nodeFileSystem) })
    const to = newPath('restored')
    const rename = new Map([['full', 'renamed']])
    await restore({ repository, data }, { to, rename })
    const names = [['fine', 'fine'] as const, ['full', 'renamed'] as const]
    for (const [was, now] of names) {
      const files = readdirSync(`${data}/${was}-0`).filter((name) => /index$/.test(name))
      expect(files.length).toBeGreaterThan(4)
      for (const name of files.filter((file) => !file.startsWith('00000000000000000030'))) {
        const found = readFileSync(`${to}/${now}-0/${name}`)
        expect([now, name, found.equals(readFileSync(`${data}/${was}-0/${name}`))]).toEqual([
          ...[now, name, true],
        ])
      }
    }
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

  test('not under a name that is taken, nor under one that topics cannot have', async () => {
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
