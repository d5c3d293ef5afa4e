import { expect, test } from 'vitest'
import { expiredInStore } from '../../src/groups/group-expiration.ts'
import { OffsetStore } from '../../src/groups/offset-store.ts'
import { marker, openOffsets, transactionalCommit } from './group-fixture.ts'

test('offsets that a transaction may change do not expire, and keep the group', async () => {
  await using place = await openOffsets()
  const store = await OffsetStore.load(place.log)
  const offsets = [0, 1].map((partition) => ({ topic: 't', partition, offset: 4 }))
  await store.commit('g', offsets, { timestamp: 1000 })
  await store.appendBatch(transactionalCommit(7, 0, [['t', 1, 5]]))
  const look = (nowMs: number) => {
    const { expired, isOver } = expiredInStore(store, 'g', undefined, { nowMs, retentionMs: 500 })
    return [expired.map(({ partition }) => partition), isOver]
  }
  expect(look(1499)).toEqual([[], false])
  expect(look(1500)).toEqual([[0], false])
  await store.appendBatch(marker('abort', 7), { origin: 'coordinator' })
  expect(look(1500)).toEqual([[0, 1], true])
})
