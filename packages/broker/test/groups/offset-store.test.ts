import { LogDirectory } from '@varve/log'
import {
  crashVariants,
  describeVariant,
  ManualClock,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { OffsetStore } from '../../src/groups/offset-store.ts'
import { marker, openOffsets, transactionalCommit } from './group-fixture.ts'

const at = { timestamp: 1000 }
const coordinator = { origin: 'coordinator' } as const

/** `topic-partition` → offset. */
function offsetsOf(store: OffsetStore, group = 'g'): Record<string, number> {
  return Object.fromEntries(
    store.offsets(group).map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]),
  )
}

test('the latest committed offset of each partition is kept, also when loaded again', async () => {
  await using place = await openOffsets()
  const store = await OffsetStore.load(place.log)
  await store.commit('g', [{ topic: 't', partition: 0, offset: 5, metadata: 'here' }], at)
  await store.commit(
    'g',
    [
      { topic: 't', partition: 0, offset: 7, leaderEpoch: 3 },
      { topic: 'u', partition: 1, offset: 1 },
    ],
    at,
  )
  await store.commit('other', [{ topic: 't', partition: 0, offset: 9 }], at)
  for (const seen of [store, await OffsetStore.load(place.log)]) {
    expect(offsetsOf(seen)).toEqual({ 't-0': 7, 'u-1': 1 })
    expect(offsetsOf(seen, 'other')).toEqual({ 't-0': 9 })
    expect(seen.committed('g', 't', 0)).toMatchObject({
      leaderEpoch: 3,
      metadata: '',
      commitTimestamp: 1000,
    })
    expect(seen.committed('g', 't', 1)).toBeNull()
    expect([...seen.groups].sort()).toEqual(['g', 'other'])
  }
})

test('commits made at the same time are all kept, in the order of the calls', async () => {
  await using place = await openOffsets()
  const store = await OffsetStore.load(place.log)
  await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      store.commit('g', [{ topic: 't', partition: index % 3, offset: index }], at),
    ),
  )
  expect(offsetsOf(store)).toEqual({ 't-0': 198, 't-1': 199, 't-2': 197 })
  expect(offsetsOf(await OffsetStore.load(place.log))).toEqual(offsetsOf(store))
})

test('deleted offsets and groups are gone, with tombstones', async () => {
  await using place = await openOffsets()
  const store = await OffsetStore.load(place.log)
  const metadata = {
    protocolType: 'consumer',
    generation: 1,
    protocol: null,
    leader: null,
    currentStateTimestamp: 5,
    members: [],
  }
  await store.saveMetadata('g', metadata, at)
  await store.commit('g', [{ topic: 't', partition: 0, offset: 5 }], at)
  await store.deleteOffsets('g', [{ topic: 't', partition: 0 }], at)
  expect(offsetsOf(store)).toEqual({})
  expect((await OffsetStore.load(place.log)).metadata('g')).toEqual(metadata)
  await store.saveMetadata('g', null, at)
  expect(store.groups).toEqual([])
  expect((await OffsetStore.load(place.log)).groups).toEqual([])
})

describe('offsets of a transaction', () => {
  test('count from the commit marker on, and are pending before it', async () => {
    await using place = await openOffsets()
    const store = await OffsetStore.load(place.log)
    await store.commit('g', [{ topic: 't', partition: 0, offset: 1 }], at)
    await store.appendBatch(
      transactionalCommit(7, 0, [
        ['t', 0, 5],
        ['u', 0, 2],
      ]),
    )
    for (const seen of [store, await OffsetStore.load(place.log)]) {
      expect(offsetsOf(seen)).toEqual({ 't-0': 1 })
      expect(seen.isPending('g', 't', 0)).toBe(true)
      expect(seen.isPending('g', 't', 1)).toBe(false)
    }
    await store.appendBatch(marker('commit', 7), coordinator)
    for (const seen of [store, await OffsetStore.load(place.log)]) {
      expect(offsetsOf(seen)).toEqual({ 't-0': 5, 'u-0': 2 })
      expect(seen.isPending('g', 't', 0)).toBe(false)
    }
  })

  test('never count when it was aborted', async () => {
    await using place = await openOffsets()
    const store = await OffsetStore.load(place.log)
    await store.appendBatch(transactionalCommit(7, 0, [['t', 0, 5]]))
    await store.appendBatch(marker('abort', 7), coordinator)
    await store.appendBatch(transactionalCommit(7, 1, [['u', 0, 6]]))
    await store.appendBatch(marker('commit', 7), coordinator)
    for (const seen of [store, await OffsetStore.load(place.log)]) {
      expect(offsetsOf(seen)).toEqual({ 'u-0': 6 })
    }
  })

  test('do not undo a commit that was appended after them', async () => {
    await using place = await openOffsets()
    const store = await OffsetStore.load(place.log)
    await store.appendBatch(transactionalCommit(7, 0, [['t', 0, 5]]))
    await store.commit('g', [{ topic: 't', partition: 0, offset: 9 }], at)
    await store.appendBatch(marker('commit', 7), coordinator)
    for (const seen of [store, await OffsetStore.load(place.log)]) {
      expect(offsetsOf(seen)).toEqual({ 't-0': 9 })
    }
  })

  test('are found when a coordinator wrote to the log by itself, at the latest with a commit', async () => {
    await using place = await openOffsets()
    const store = await OffsetStore.load(place.log)
    await place.log.appendBatch(transactionalCommit(7, 0, [['t', 0, 5]]))
    await place.log.appendBatch(marker('commit', 7), coordinator)
    await store.commit('g', [{ topic: 'u', partition: 0, offset: 1 }], at)
    expect(offsetsOf(store)).toEqual({ 't-0': 5, 'u-0': 1 })
  })
})

test('records that are not known are skipped with their reasons, and stay in the log', async () => {
  await using place = await openOffsets()
  await place.log.append({ key: Buffer.from([0, 11, 1]), value: Buffer.from([0, 0]) })
  await place.log.append({ key: Buffer.from([0, 11, 2]), value: Buffer.from([0, 0]) })
  await place.log.append({ value: 'x' })
  const store = await OffsetStore.load(place.log)
  expect([...store.skipped]).toEqual([
    ['keys of version 11 are not known', 2],
    ['it has no versioned key', 1],
  ])
  expect(place.log.logEndOffset).toBe(3)
})

test('an impossible offset is refused before anything is appended', async () => {
  await using place = await openOffsets()
  const store = await OffsetStore.load(place.log)
  const commit = store.commit(
    'g',
    [
      { topic: 't', partition: 0, offset: 1 },
      { topic: 't', partition: 1, offset: -1 },
    ],
    at,
  )
  await expect(commit).rejects.toBeInstanceOf(InvalidArgumentError)
  expect(place.log.logEndOffset).toBe(0)
})

test('after a power cut at any call, offsets are those acknowledged or later ones', async () => {
  const fs = new SimulatedFileSystem()
  const acknowledged: Array<{ readonly operations: number; readonly offset: number }> = []
  {
    await using place = await openOffsets(fs)
    const store = await OffsetStore.load(place.log)
    for (let offset = 1; offset <= 6; offset++) {
      await store.commit(
        'g',
        [
          { topic: 't', partition: 0, offset },
          { topic: 'u', partition: 0, offset },
        ],
        at,
      )
      acknowledged.push({ operations: fs.operations, offset })
    }
  }
  const random = new Random(seedFromEnvironment('offset store after power cuts'))
  for (let operations = 0; operations <= fs.operations; operations++) {
    for (const variant of crashVariants(random, 2)) {
      const left = fs.crashState(operations, variant)
      await using directory = await LogDirectory.open('/data', {
        fs: left,
        clock: new ManualClock(),
      })
      const log = directory.logs.get('__consumer_offsets-0')
      const found = log === undefined ? {} : offsetsOf(await OffsetStore.load(log))
      const least = acknowledged.findLast((entry) => entry.operations <= operations)?.offset ?? 0
      const context = `${describeVariant(variant)} after ${operations} operations`
      expect(found['t-0'] ?? 0, context).toBeGreaterThanOrEqual(least)
      expect(found['u-0'], context).toBe(found['t-0'])
    }
  }
})
