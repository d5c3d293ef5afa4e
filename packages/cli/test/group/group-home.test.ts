import { GroupNotEmptyError, GroupNotFoundError, TopicNotFoundError } from '@varve/broker'
import { systemClock } from '@varve/log'
import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { ClusterGroups } from '../../src/group/cluster-groups.ts'
import { DirectoryGroups } from '../../src/group/directory-groups.ts'
import { type GroupHome, openGroups } from '../../src/group/group-home.ts'
import { progressOf } from '../../src/group/group-progress.ts'
import { committedAmong } from '../../src/group/reset-steps.ts'
import { makeGroupData } from '../group-fixture.ts'

const at = (partition: number) => ({ topic: 'orders', partition })

/** What holds wherever the groups are. */
async function prove(groups: GroupHome): Promise<void> {
  expect((await groups.all()).map(({ group }) => group)).toEqual(['billing'])
  const billing = await groups.group('billing')
  expect(await progressOf(billing, groups.looks)).toEqual([
    { ...at(0), committedOffset: 3, endOffset: 10, lag: 7 },
    { ...at(1), committedOffset: 5, endOffset: 5, lag: 0 },
  ])
  await expect(groups.group('other')).rejects.toThrow(GroupNotFoundError)
  await expect(groups.planReset('other', [at(0)], 'latest')).rejects.toThrow(GroupNotFoundError)
  expect(await groups.partitionCount('orders')).toBe(2)
  await expect(groups.partitionCount('other')).rejects.toThrow(TopicNotFoundError)
  const steps = [
    { ...at(0), committedOffset: 3, newOffset: 4 },
    { ...at(1), committedOffset: 5, newOffset: 4 },
  ]
  const target = { timestamp: 3500 }
  expect(await groups.planReset('billing', [at(0), at(1)], target)).toEqual(steps)
  expect(await groups.reset('billing', [at(0), at(1)], target)).toEqual(steps)
}

test('the groups of a directory', async () => {
  const data = await makeGroupData()
  {
    await using groups = await openGroups({ data }, systemClock)
    expect(groups).toBeInstanceOf(DirectoryGroups)
    await prove(groups)
  }
  await using groups = await openGroups({ data }, systemClock)
  expect(committedAmong((await groups.group('billing')).offsets)(at(1))).toBe(4)
  expect(await groups.delete('billing')).toBe(2)
})

test('the groups of a server', async () => {
  const data = await makeGroupData()
  await using server = await startServer({ data, port: 0 })
  const place = { bootstrapServer: server.bootstrapServers, commandConfig: null }
  await using groups = await openGroups({ place }, systemClock)
  expect(groups).toBeInstanceOf(ClusterGroups)
  await prove(groups)
  expect(await groups.planReset('billing', [at(1)], { shiftBy: -9 })).toMatchObject([
    { committedOffset: 4, newOffset: 0 },
  ])
  expect(await groups.delete('billing')).toBe(2)
  expect(await groups.all()).toEqual([])
})

test('a group that has members on a server is not reset and not deleted', async () => {
  const data = await makeGroupData()
  await using server = await startServer({ data, port: 0 })
  await using consumer = server.varve.consumer({ group: 'billing', topics: ['orders'] })
  await consumer.start()
  const place = { bootstrapServer: server.bootstrapServers, commandConfig: null }
  await using groups = await openGroups({ place }, systemClock)
  expect((await groups.group('billing')).state).toBe('Stable')
  await expect(groups.reset('billing', [at(0)], 'latest')).rejects.toThrow(GroupNotEmptyError)
  await expect(groups.delete('billing')).rejects.toThrow(GroupNotEmptyError)
})
