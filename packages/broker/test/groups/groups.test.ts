import { expect, test } from 'vitest'
import { ClosedError } from '../../src/base/broker-errors.ts'
import type { Logger } from '../../src/base/logger.ts'
import type { PartitionOwner } from '../../src/consuming/assignment-source.ts'
import { Groups } from '../../src/groups/groups.ts'
import type { Topics } from '../../src/topics/topics.ts'
import { type Machine, newMachine, openOn, openTopics, takeValues } from '../broker-fixture.ts'

const turns = async (count = 30) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

function groupsOf(topics: Topics, { clock }: Machine) {
  const said: string[] = []
  const say = (_fields: object, message: string): void => void said.push(message)
  const logger: Logger = { debug: say, info: say, warn: say, error: say }
  return {
    said,
    groups: new Groups({ topics, clock, logger, retentionCheckIntervalMs: 86_400_000 }),
  }
}

/** Takes whatever it is given. */
function ownerOf(): PartitionOwner & { readonly names: Set<string> } {
  const names = new Set<string>()
  return {
    names,
    assign: async (partitions) => {
      for (const { topic, partition } of partitions) names.add(`${topic}-${partition}`)
    },
    revoke: async (partitions) => {
      for (const { topic, partition } of partitions) names.delete(`${topic}-${partition}`)
    },
    lose: () => names.clear(),
    fail: (error) => {
      throw error
    },
  }
}

test('members get the partitions of topics that are made, grown and deleted meanwhile', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  const { groups, said } = groupsOf(topics, machine)
  expect(groups.isUsed).toBe(false)
  const owner = ownerOf()
  const member = groups.member({ group: 'g', topics: ['a', 'b'] })
  await member.start(owner)
  expect([groups.isUsed, [...owner.names]]).toEqual([true, []])
  await topics.create('a', 1, {})
  await turns()
  expect([...owner.names]).toEqual(['a-0'])
  await topics.grow('a', 2)
  await topics.create('b', 1, {})
  await turns()
  expect([...owner.names].sort()).toEqual(['a-0', 'a-1', 'b-0'])
  await member.commit([
    { topic: 'a', partition: 0, offset: 0 },
    { topic: 'b', partition: 0, offset: 0 },
  ])
  await topics.delete('a')
  await turns()
  expect([...owner.names]).toEqual(['b-0'])
  const { offsets } = await (await groups.coordinator()).describe('g')
  expect(offsets.map(({ topic }) => topic)).toEqual(['b'])
  await member.close()
  await groups.close()
  expect(said).toEqual([])
})

test('what is in partitions that are made while a member is there is not passed over', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine)
  await varve.createTopic('t', {})
  await varve.producer().send('t', { value: 'before' })
  const consumer = varve.consumer({ group: 'g', topics: ['t', 'u'], from: 'latest' })
  await consumer.start()
  await varve.addPartitions('t', 2)
  await varve.producer().send('t', { value: 'grown' }, { partition: 1 })
  await varve.createTopic('u', {})
  await varve.producer().send('u', { value: 'made' })
  expect((await takeValues(consumer, 2)).sort()).toEqual(['grown', 'made'])
  const late = varve.consumer({ group: 'late', topics: ['t', 'u'], from: 'latest', follow: false })
  expect(await takeValues(late, 1)).toEqual([])
})

test('offsets are looked through for expired ones, and skipped records are told of', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  const first = groupsOf(topics, machine)
  const coordinator = await first.groups.coordinator()
  const nobody = { memberId: '', groupInstanceId: null, generation: -1 }
  await coordinator.commit('g', nobody, [{ topic: 'a', partition: 0, offset: 4 }])
  machine.clock.advance(7 * 86_400_000)
  await turns()
  expect(await coordinator.list()).toEqual([])
  await topics.topic('__consumer_offsets').partition(0).log.append({ key: 'odd', value: 'x' })
  await first.groups.close()
  await expect(first.groups.coordinator()).rejects.toBeInstanceOf(ClosedError)
  const second = groupsOf(topics, machine)
  await second.groups.coordinator()
  expect(second.said).toEqual(['records of __consumer_offsets were skipped'])
  await second.groups.close()
})
