import { LogNotFoundError } from '@varve/log'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { CorruptCatalogueError, TopicNotFoundError } from '../../src/base/broker-errors.ts'
import { FollowedPartition } from '../../src/reading/followed-partition.ts'
import { FollowedTopics } from '../../src/reading/followed-topics.ts'
import { catalogueFileName } from '../../src/topics/catalogue-file.ts'
import { dataPath, errorOf, type Machine, newMachine, openTopics } from '../broker-fixture.ts'

function follow({ fs, clock }: Machine, troubles: unknown[] = []): FollowedTopics {
  return new FollowedTopics(dataPath, {
    ...{ fs, clock, topicDefaults: {}, log: { fs, clock } },
    onTrouble: (error) => void troubles.push(error),
  })
}

function stateOf(followed: FollowedTopics): string[] {
  return followed.all().map(({ name, partitions }) => `${name} ${partitions.length}`)
}

test('tells once of each change, when it next looks', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  const followed = follow(machine)
  const told: string[] = []
  const end = followed.watch(({ name, partitions }, event) => {
    told.push(`${event} ${name} ${partitions.length}`)
  })
  await topics.create('a', 2, {})
  machine.clock.advance(100)
  machine.clock.advance(100)
  await topics.grow('a', 3)
  await topics.delete('a')
  await topics.create('a', 1, {})
  machine.clock.advance(100)
  await topics.grow('a', 4)
  followed.look()
  expect(told).toEqual(['created a 2', 'deleted a 2', 'created a 1', 'grown a 4'])
  end()
  await topics.create('b', 1, {})
  followed.look()
  expect(told).toHaveLength(4)
  expect(() => followed.topic('c')).toThrow(TopicNotFoundError)
  await followed.close()
})

test('at no moment of a change shows a partition that has not been made', async () => {
  const machine = newMachine()
  const topics = await openTopics(machine)
  const start = machine.fs.operations
  await topics.create('a', 2, {})
  await topics.grow('a', 4)
  await topics.delete('a')
  await topics.create('a', 1, {})
  await topics.close()
  const seen = new Set<string>()
  for (let at = start; at <= machine.fs.operations; at++) {
    const left = newMachine(machine.fs.killState(at))
    const followed = follow(left)
    const [state = 'none'] = stateOf(followed)
    seen.add(state)
    for (const partition of followed.all().flatMap((topic) => topic.partitions)) {
      await partition.open()
      expect(partition.log.highWatermark).toBe(0)
    }
    await followed.close()
  }
  expect([...seen]).toEqual(['none', 'a 2', 'a 4', 'a 1'])
})

test('finds the topics of a directory without a catalogue, which may get one', async () => {
  const machine = newMachine()
  const topics = await openTopics(machine)
  await topics.create('a', 2, {})
  await topics.close()
  await machine.fs.remove(`${dataPath}/${catalogueFileName}`)
  const followed = follow(machine)
  const [before] = followed.all()
  expect([before?.topicId, before?.partitions.length]).toEqual([null, 2])
  await using adopted = await openTopics(machine)
  await adopted.create('b', 1, {})
  expect(stateOf(followed)).toEqual(['a 2', 'b 1'])
  expect(followed.topic('a')).toBe(before)
  expect(before?.topicId).toBe(adopted.topic('a').topicId)
  await followed.close()
})

test('says once that it cannot look, and goes on when it can', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  await topics.create('a', 1, {})
  const troubles: unknown[] = []
  const followed = follow(machine, troubles)
  const path = `${dataPath}/${catalogueFileName}`
  const right = machine.fs.bytesOf(path)
  machine.fs.flipBit(path, 200)
  for (let round = 0; round < 3; round++) machine.clock.advance(100)
  expect(troubles).toEqual([expect.any(CorruptCatalogueError)])
  expect(() => followed.all()).toThrow(CorruptCatalogueError)
  machine.fs.writeBytes(path, right)
  machine.clock.advance(100)
  expect(stateOf(followed)).toEqual(['a 1'])
  await followed.close()
})

test('refuses a directory that is not there', () => {
  expect(() => follow(newMachine(new SimulatedFileSystem()))).toThrow(LogNotFoundError)
})

test('a partition says that its topic was deleted rather than that its files are gone', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  await topics.create('a', 1, {})
  const followed = follow(machine)
  const partition = followed.topic('a').partition(0)
  expect(partition).toBeInstanceOf(FollowedPartition)
  expect(() => partition.log).toThrow('closed')
  await partition.open()
  expect([partition.isMissing, partition.isUsable]).toEqual([false, true])
  await topics.delete('a')
  expect(partition.isMissing).toBe(true)
  await errorOf(partition.open(), TopicNotFoundError)
  expect([partition.isMissing, partition.isUsable]).toEqual([false, false])
  expect(() => partition.log).toThrow(TopicNotFoundError)
  await followed.close()
  expect(machine.fs.openFiles().filter((path) => path.includes('a-0'))).toEqual([])
})
