import { afterEach, expect, test } from 'vitest'
import { cooperativeStickyAssignor } from '../../../src/groups/assigning/cooperative-sticky-assignor.ts'
import { rangeAssignor } from '../../../src/groups/assigning/range-assignor.ts'
import { FencedInstanceError } from '../../../src/groups/group-errors.ts'
import { MigrationBench } from './migration-bench.ts'
import { ClassicClient, ConsumerClient, LocalClient } from './migration-clients.ts'

let bench: MigrationBench | null = null

afterEach(async () => {
  await bench?.close()
  bench = null
})

async function open(...args: Parameters<typeof MigrationBench.open>): Promise<MigrationBench> {
  bench = await MigrationBench.open(...args)
  return bench
}

test('a static member of the process is told that one of the new protocol has its name', async () => {
  const group = await open(3)
  const local = new LocalClient(group, 'a', cooperativeStickyAssignor, 'one')
  await group.settled()
  const fresh = new ConsumerClient(group, 'b', 'one').begin()
  // What it had it has lost before the other is told that it has it.
  await expect.poll(() => fresh.partitions).toEqual([0, 1, 2])
  expect(local.failure).toBeInstanceOf(FencedInstanceError)
  expect(local.partitions).toEqual([])
  expect(group.errors).toEqual([local.failure])
})

test('a group that nobody leads divides anew when a topic has more partitions', async () => {
  const group = await open(3)
  const { coordinator, topics } = group
  const old = new ClassicClient(group, 'a', rangeAssignor, 'one').begin()
  await group.settled()
  old.kill()
  const fresh = new ConsumerClient(group, 'b', 'one').begin()
  await group.settled()
  fresh.kill()
  new ClassicClient(group, 'c', rangeAssignor, 'one').begin()
  await group.settled()
  // It has taken the place of the last one without a rebalance.
  expect(coordinator.view('g')).toMatchObject({ state: 'Stable', leader: null, generation: 1 })
  topics.set('t', 5)
  coordinator.topicsChanged(new Set(['t']))
  await group.settled()
  expect(coordinator.view('g')).toMatchObject({ state: 'Stable', generation: 2 })
  expect(coordinator.view('g')?.leader).not.toBeNull()
})
