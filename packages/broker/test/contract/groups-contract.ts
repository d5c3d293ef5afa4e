import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import type { Consumer } from '../../src/consuming/consumer.ts'
import { rangeAssignor } from '../../src/groups/assigning/range-assignor.ts'
import { GroupNotEmptyError, GroupNotFoundError } from '../../src/groups/group-errors.ts'
import type { Varve } from '../../src/varve.ts'
import { errorOf } from '../broker-fixture.ts'
import { fresh, type Home, numbered, take, until, withVarve } from './contract-home.ts'

async function filled(varve: Varve, count: number, partitions: number): Promise<string> {
  const topic = fresh('orders')
  await varve.createTopic(topic, { partitions })
  const producer = varve.producer()
  const sent = numbered(count).map((value, index) => {
    return producer.send(topic, { value }, { partition: index % partitions })
  })
  await Promise.all(sent)
  await producer.close()
  return topic
}

/** Takes records until it is closed, and says which and in whose name. */
function handling(consumer: Consumer, seen: string[], commits: boolean): Promise<void> {
  const run = async (): Promise<void> => {
    for await (const record of consumer) {
      seen.push(String(record.value))
      if (commits) await consumer.commit(record)
    }
  }
  return run()
}

export function describeGroups(home: Home): void {
  test('a group goes on where it has committed, also after it was closed', async () => {
    const group = fresh('billing')
    const topic = await withVarve(home, async (varve) => {
      const made = await filled(varve, 10, 1)
      const consumer = varve.consumer({ group, topics: [made] })
      expect(await take(consumer, 4)).toEqual(numbered(4))
      await consumer.commit([{ topic: made, partition: 0, offset: 3, metadata: 'here' }])
      await consumer.close()
      const next = varve.consumer({ group, topics: [made] })
      expect(await take(next, 2)).toEqual(numbered(2, 3))
      await next.commit()
      return made
    })
    await withVarve(home, async (varve) => {
      const consumer = varve.consumer({ group, topics: [topic], follow: false })
      expect(await take(consumer, 99)).toEqual(numbered(5, 5))
      const groups = await varve.groups()
      expect(await groups.list()).toContain(group)
    })
  })

  test('two members share the partitions, and one that leaves gives them back', async () => {
    await withVarve(home, async (varve) => {
      const [topic, group] = [await filled(varve, 40, 4), fresh('sharing')]
      const assigned: string[] = []
      const first = varve.consumer({
        ...{ group, topics: [topic] },
        onAssigned: (partitions) => void assigned.push(`+${partitions.length}`),
        onRevoked: (partitions) => void assigned.push(`-${partitions.length}`),
      })
      const seen: string[] = []
      const running = handling(first, seen, true)
      await until(() => seen.length === 40)
      const second = varve.consumer({ group, topics: [topic] })
      const secondSeen: string[] = []
      const secondRunning = handling(second, secondSeen, true)
      await until(() => first.partitions.length === 2 && second.partitions.length === 2)
      const owned = [...first.partitions, ...second.partitions].map(({ partition }) => partition)
      expect(owned.sort()).toEqual([0, 1, 2, 3])
      expect(assigned).toEqual(expect.arrayContaining(['+4', '-2']))
      const description = await (await varve.groups()).describe(group)
      expect(description).toMatchObject({ state: 'Stable', protocol: 'cooperative-sticky' })
      expect(description.members).toHaveLength(2)
      const producer = varve.producer()
      for (const [index, value] of numbered(20, 40).entries()) {
        await producer.send(topic, { value }, { partition: index % 4 })
      }
      await until(() => seen.length + secondSeen.length === 60)
      expect(secondSeen).toHaveLength(10)
      await second.close()
      await secondRunning
      await until(() => first.partitions.length === 4)
      for (const [index, value] of numbered(4, 60).entries()) {
        await producer.send(topic, { value }, { partition: index % 4 })
      }
      await until(() => seen.length + secondSeen.length === 64)
      expect([...seen, ...secondSeen].sort()).toEqual(numbered(64).sort())
      await first.close()
      await running
    })
  })

  test('members with an eager assignor share too', async () => {
    await withVarve(home, async (varve) => {
      const [topic, group] = [await filled(varve, 8, 2), fresh('eager')]
      const options = { group, topics: [topic], assignors: [rangeAssignor], autoCommitMs: 10 }
      const [first, second] = [varve.consumer(options), varve.consumer(options)]
      const seen: string[] = []
      const running = [handling(first, seen, false)]
      await until(() => first.partitions.length === 2)
      running.push(handling(second, seen, false))
      await until(() => first.partitions.length === 1 && second.partitions.length === 1)
      await until(() => new Set(seen).size === 8)
      await Promise.all([first.close(), second.close()])
      await Promise.all(running)
      const { offsets } = await (await varve.groups()).describe(group)
      expect(offsets.map(({ offset }) => offset)).toEqual([4, 4])
    })
  })

  test('operators describe groups, set their offsets, and delete them', async () => {
    await withVarve(home, async (varve) => {
      const [topic, group] = [await filled(varve, 10, 2), fresh('operated')]
      const groups = await varve.groups()
      await errorOf(groups.describe(group), GroupNotFoundError)
      const offsets = [
        { topic, partition: 0, offset: 4 },
        { topic, partition: 1, offset: 5, metadata: 'note' },
      ]
      await groups.resetOffsets(group, offsets)
      const described = await groups.describe(group)
      expect(described).toMatchObject({ group, state: 'Empty', members: [], offsets })
      const consumer = varve.consumer({ group, topics: [topic] })
      expect(await take(consumer, 1)).toEqual(['v8'])
      await errorOf(groups.resetOffsets(group, offsets), GroupNotEmptyError)
      await errorOf(groups.delete(group), GroupNotEmptyError)
      await consumer.close()
      await groups.delete(group)
      await errorOf(groups.describe(group), GroupNotFoundError)
      await errorOf(groups.delete(group), GroupNotFoundError)
    })
  })

  test('partitions that are added go to the group, from their first record on', async () => {
    await withVarve(home, async (varve) => {
      const [topic, group] = [await filled(varve, 2, 1), fresh('growing')]
      const consumer = varve.consumer({ group, topics: [topic], from: 'latest' })
      const seen: string[] = []
      const running = handling(consumer, seen, true)
      await until(() => consumer.partitions.length === 1)
      await varve.addPartitions(topic, 3)
      await varve.producer().send(topic, { value: 'a' }, { partition: 2 })
      await until(() => seen.length === 1)
      expect([seen, consumer.partitions.length]).toEqual([['a'], 3])
      await consumer.close()
      await running
    })
  })

  test('only a group commits', async () => {
    await withVarve(home, async (varve) => {
      const topic = await filled(varve, 2, 1)
      const consumer = varve.consumer({ topics: [topic] })
      await consumer.next()
      await errorOf(consumer.commit(), InvalidArgumentError)
    })
  })
}
