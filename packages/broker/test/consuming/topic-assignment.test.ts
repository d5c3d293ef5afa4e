import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { TopicNotFoundError } from '../../src/base/broker-errors.ts'
import { partitionName } from '../../src/base/topic-partition.ts'
import type { PartitionOwner } from '../../src/consuming/assignment-source.ts'
import { FixedAssignment, TopicAssignment } from '../../src/consuming/topic-assignment.ts'
import { errorOf, newMachine, openTopics, turns } from '../broker-fixture.ts'

/** Writes down what it is told. */
class Witness implements PartitionOwner {
  readonly told: string[] = []

  async assign(
    partitions: ReadonlyArray<{ topic: string; partition: number }>,
    areNew = false,
  ): Promise<void> {
    this.told.push(`${areNew ? 'new' : 'assign'} ${partitions.map(partitionName)}`)
  }

  async revoke(): Promise<void> {
    this.told.push('revoke')
  }

  lose(): void {
    this.told.push('lose')
  }

  fail(error: unknown): void {
    this.told.push(error instanceof Error ? error.name : 'fail')
  }
}

test('topics give all of their partitions, those that are added too, and end when deleted', async () => {
  await using topics = await openTopics(newMachine())
  for (const name of ['a', 'b', 'c']) await topics.create(name, 1, {})
  const witness = new Witness()
  const source = new TopicAssignment(topics, ['a', 'b', 'a'])
  await source.start(witness)
  await topics.grow('b', 3)
  await topics.grow('c', 2)
  await topics.delete('a')
  await turns()
  const all = ['assign a-0,b-0', 'new b-1,b-2', 'TopicNotFoundError']
  expect(witness.told).toEqual(all)
  await source.close()
  await topics.grow('b', 4)
  expect(witness.told).toEqual(all)
})

test('topics that are not there, and no topics, are refused', async () => {
  await using topics = await openTopics(newMachine())
  await errorOf(new TopicAssignment(topics, ['none']).start(new Witness()), TopicNotFoundError)
  expect(() => new TopicAssignment(topics, [])).toThrow(InvalidArgumentError)
  expect(() => new FixedAssignment(topics, [])).toThrow(InvalidArgumentError)
  const fixed = new FixedAssignment(topics, [{ topic: 'none', partition: 0 }])
  await errorOf(fixed.start(new Witness()), TopicNotFoundError)
})

test('a list gives what is in it', async () => {
  await using topics = await openTopics(newMachine())
  await topics.create('a', 2, {})
  const witness = new Witness()
  const source = new FixedAssignment(topics, [{ topic: 'a', partition: 1 }])
  await source.start(witness)
  await topics.grow('a', 3)
  await source.close()
  expect(witness.told).toEqual(['assign a-1'])
})
