import { LogOfflineError } from '@varve/log'
import { expect, test, vi } from 'vitest'
import { ClosedError } from '../../src/base/broker-errors.ts'
import type { Logger } from '../../src/base/logger.ts'
import type { PartitionOwner } from '../../src/consuming/assignment-source.ts'
import { GroupNotFoundError } from '../../src/groups/group-errors.ts'
import { Groups } from '../../src/groups/groups.ts'
import type { Topics } from '../../src/topics/topics.ts'
import type { Varve } from '../../src/varve.ts'
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

test('a topic that is made anew is read from its beginning, whoever deleted the old one', async () => {
  const machine = newMachine()
  const consumed = async (varve: Varve) => {
    await using consumer = varve.consumer({ group: 'g', topics: ['t'], follow: false })
    const values: string[] = []
    for await (const record of consumer) {
      values.push(String(record.value))
      await consumer.commit(record)
    }
    return values
  }
  {
    await using varve = await openOn(machine)
    await varve.createTopic('t')
    await varve.producer().send('t', [{ value: 'a' }, { value: 'b' }])
    expect(await consumed(varve)).toEqual(['a', 'b'])
  }
  {
    // A process that asks for no group.
    await using varve = await openOn(machine)
    await varve.deleteTopic('t')
  }
  {
    await using varve = await openOn(machine)
    expect((await (await varve.groups()).describe('g')).offsets).toEqual([])
    await varve.createTopic('t')
    await varve.producer().send('t', [{ value: 'c' }, { value: 'd' }, { value: 'e' }])
    expect(await consumed(varve)).toEqual(['c', 'd', 'e'])
  }
})

test('offsets that a crash has left of a deleted topic are not those of the next of its name', async () => {
  const machine = newMachine()
  const varve = await openOn(machine)
  await varve.createTopic('t')
  await varve.producer().send('t', { value: 'a' })
  const groups = await varve.groups()
  await groups.resetOffsets('g', [{ topic: 't', partition: 0, offset: 1 }])
  const commits = varve.log('__consumer_offsets', 0)
  const tombstones = vi.spyOn(commits, 'append').mockRejectedValue(new Error('it crashed before'))
  await varve.deleteTopic('t')
  await turns()
  expect(tombstones).toHaveBeenCalled()
  const crashed = newMachine(machine.fs.crashState(machine.fs.operations, 'none'))
  await varve.close()
  await using again = await openOn(crashed)
  expect((await (await again.groups()).describe('g')).offsets).toHaveLength(1)
  await again.createTopic('t')
  await expect((await again.groups()).describe('g')).rejects.toBeInstanceOf(GroupNotFoundError)
})

test('offsets of a group whose members the end of their process took are not over at once', async () => {
  const machine = newMachine()
  const varve = await openOn(machine)
  await varve.createTopic('t', { retentionMs: -1 })
  await varve.producer().send('t', { value: 'a' })
  const consumer = varve.consumer({ group: 'g', topics: ['t'] })
  expect(await takeValues(consumer, 1)).toEqual(['a'])
  machine.clock.advance(8 * 86_400_000)
  await consumer.commit()
  const crashed = {
    fs: machine.fs.crashState(machine.fs.operations, 'none'),
    clock: machine.clock,
  }
  await using again = await openOn(crashed)
  const groups = await again.groups()
  expect(await groups.expireOffsets()).toBe(0)
  machine.clock.advance(7 * 86_400_000)
  await groups.expireOffsets()
  await turns()
  await expect(groups.describe('g')).rejects.toBeInstanceOf(GroupNotFoundError)
  await varve.close()
})

test('a handler that does not end keeps its partitions from others no longer than it may', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine)
  await varve.createTopic('t', { partitions: 2 })
  for (const partition of [0, 1]) await varve.producer().send('t', { value: 'x' }, { partition })
  const options = { group: 'g', topics: ['t'], maxPollIntervalMs: 1000 }
  const endings: Array<() => void> = []
  const lost: number[] = []
  const stuck = varve.consumer({
    ...options,
    onLost: (places) => lost.push(...places.map(({ partition }) => partition)),
  })
  const handler = () => new Promise<void>((resolve) => endings.push(resolve))
  const running = stuck.run({ concurrency: 2, handler })
  await turns(100)
  expect(endings).toHaveLength(2)
  const other = varve.consumer(options)
  const values = takeValues(other, 2)
  await turns(100)
  expect(other.partitions).toEqual([])
  machine.clock.advance(1000)
  await turns(100)
  expect(await values).toEqual(['x', 'x'])
  expect(lost.sort()).toEqual([0, 1])
  await other.commit()
  for (const end of endings) end()
  await turns(100)
  expect((await (await varve.groups()).describe('g')).members).toHaveLength(2)
  await Promise.all([stuck.close(), other.close()])
  await running
})

test('a member whose program fails while it lets go is closed all the same, and others go on', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine)
  await varve.createTopic('t')
  await varve.producer().send('t', { value: 'a' })
  const options = { group: 'g', topics: ['t'] }
  const failing = varve.consumer({
    ...options,
    onRevoked: () => {
      throw new Error('it fails')
    },
  })
  expect(await takeValues(failing, 1)).toEqual(['a'])
  await expect(failing.close()).rejects.toThrow('it fails')
  expect(failing.partitions).toEqual([])
  await expect(failing.commit()).rejects.toBeInstanceOf(ClosedError)
  const other = varve.consumer(options)
  expect(await takeValues(other, 1)).toEqual(['a'])
  expect((await (await varve.groups()).describe('g')).members).toHaveLength(1)
})

test('commits fail while their log is offline, and go on where it is opened again', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine)
  await varve.createTopic('t')
  await varve.producer().send('t', [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  const consumer = varve.consumer({ group: 'g', topics: ['t'] })
  expect(await takeValues(consumer, 1)).toEqual(['a'])
  await consumer.commit()
  expect(await takeValues(consumer, 1)).toEqual(['b'])
  machine.fs.injectFault({ kind: 'EIO', after: 0 })
  await expect(consumer.commit()).rejects.toBeInstanceOf(LogOfflineError)
  machine.fs.clearFaults()
  await expect(consumer.commit()).rejects.toBeInstanceOf(LogOfflineError)
  await varve.reopenPartition('__consumer_offsets', 0)
  const groups = await varve.groups()
  const committed = async () => (await groups.describe('g')).offsets.map(({ offset }) => offset)
  expect(await committed()).toEqual([1])
  await consumer.commit()
  expect(await committed()).toEqual([2])
  expect(await takeValues(consumer, 1)).toEqual(['c'])
  await consumer.commit()
  expect(await committed()).toEqual([3])
})
