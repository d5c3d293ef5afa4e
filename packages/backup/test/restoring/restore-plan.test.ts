import { Random } from '@varve/log/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { ObjectReader } from '../../src/reading/object-reader.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import type { RestoredPartition } from '../../src/restoring/partition-restore.ts'
import { planRestore, type RestoreWish } from '../../src/restoring/restore-plan.ts'
import { Scene } from './scene.ts'
import { appendCounted, startMs } from './source-topics.ts'

let scene: Scene

beforeEach(async () => {
  scene = await Scene.make()
  await using source = await scene.openSource()
  await appendCounted(await source.createLog('orders', 0), new Random(1), 23)
  const users = await source.createLog('users', 0)
  for (let index = 0; index < 10; index++) {
    await users.append({ value: 'v', timestamp: startMs + 10 * index })
  }
  await users.deleteSegmentsBefore(4)
  await scene.backUp(source)
})

async function plan(wish: Partial<RestoreWish>): Promise<readonly RestoredPartition[]> {
  const { manifest } = await scene.latest()
  const reader = new ObjectReader(scene.repository, inlineDecoder())
  const all = { point: { kind: 'end' }, select: () => true, rename: new Map() } as const
  const catalogue = new BackupCatalogue(scene.repository)
  return planRestore(manifest, catalogue, reader, { ...all, ...wish })
}

const endsOf = (partitions: readonly RestoredPartition[]): unknown[] =>
  partitions.map(({ name, end }) => [name, end])

describe('a plan', () => {
  test('has all partitions to their end, under their names and ids', async () => {
    const partitions = await plan({})
    expect(endsOf(partitions)).toEqual([
      ['orders-0', 23],
      ['users-0', 10],
    ])
    for (const { topicId, stored } of partitions) expect(topicId).toBe(stored.topicId)
  })

  test('gives a renamed topic an id of its own', async () => {
    const [orders, users] = await plan({ rename: new Map([['orders', 'old']]) })
    expect(orders?.name).toBe('old-0')
    expect(orders?.topicId).toMatch(/^[\w-]{22}$/)
    expect(orders?.topicId).not.toBe(orders?.stored.topicId)
    expect(users?.topicId).toBe(users?.stored.topicId)
  })

  test('ends at offsets that are named, and elsewhere at the end', async () => {
    const point = { kind: 'offsets', offsets: new Map([['orders-0', 9]]) } as const
    expect(endsOf(await plan({ point }))).toEqual([
      ['orders-0', 9],
      ['users-0', 10],
    ])
  })

  test('ends before the first record that is younger, never before the start', async () => {
    const select = (topic: string): boolean => topic === 'users'
    const endAt = async (timestamp: number): Promise<number | undefined> => {
      const [users] = await plan({ select, point: { kind: 'time', timestamp } })
      return users?.end
    }
    expect(await endAt(startMs + 70)).toBe(8)
    expect(await endAt(startMs + 79)).toBe(8)
    expect(await endAt(startMs + 1000)).toBe(10)
    expect(await endAt(startMs)).toBe(4)
    expect(await endAt(0)).toBe(4)
  })
})
