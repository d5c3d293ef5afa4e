import { expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import type { Queue } from '../../src/queues/queue.ts'
import { Queues } from '../../src/queues/queues.ts'
import type { Topics } from '../../src/topics/topics.ts'
import { type Machine, newMachine, openTopics, turns } from '../broker-fixture.ts'

async function open(machine: Machine): Promise<{ topics: Topics; queues: Queues }> {
  const topics = await openTopics(machine)
  const queues = new Queues({ topics, logger: silentLogger, random: () => 0.5, ...machine })
  return { topics, queues }
}

async function takeAll(queue: Queue): Promise<string[]> {
  await turns()
  const values: string[] = []
  for (;;) {
    const delivery = await queue.dequeue({ waitMs: 0 })
    if (delivery === null) return values.sort()
    values.push(String(delivery.record.value))
    await delivery.acknowledge()
  }
}

test('an open queue takes up the partitions that its topic is given', async () => {
  const machine = newMachine()
  const { topics, queues } = await open(machine)
  const queue = await queues.queue('mail')
  await queue.enqueue({ value: 'first' })
  const waiting = queue.dequeue()
  await (await waiting)?.acknowledge()
  const waitingOn = queue.dequeue()
  await topics.grow('mail', 3)
  await turns()
  expect(queue.partitionCount).toBe(3)
  // What another producer sends there, too.
  await topics.topic('mail').partition(2).log.append({ value: 'sent' })
  const delivery = await waitingOn
  expect(String(delivery?.record.value)).toBe('sent')
  await delivery?.acknowledge()
  const used = new Set<number>()
  const sent = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const value of sent) used.add((await queue.enqueue({ value })).partition)
  expect(used.size).toBe(3)
  expect(await takeAll(queue)).toEqual(sent)
  expect(queue.startOffsets).toEqual([3, 2, 3])
  await queues.close()
  await topics.close()
})

test('two growths at once are one after the other, and closing waits for them', async () => {
  const { topics, queues } = await open(newMachine())
  const queue = await queues.queue('mail')
  const growing = [topics.grow('mail', 2), topics.grow('mail', 5)]
  await Promise.all(growing)
  await queues.close()
  expect(queue.partitionCount).toBeLessThanOrEqual(5)
  await topics.close()
})

test('a queue that began at the end passes nothing over in a partition that was added', async () => {
  const machine = newMachine()
  const { topics, queues } = await open(machine)
  const jobs = await topics.create('jobs', 1, {})
  await jobs.partition(0).log.append({ value: 'before the queue' })
  const options = { topic: 'jobs', startAt: 'latest' } as const
  await queues.queue('q', options)
  const start = machine.fs.operations
  await topics.grow('jobs', 3)
  await jobs.partition(2).log.append({ value: 'x' })
  await turns()
  const end = machine.fs.operations
  await queues.close()
  await topics.close()
  let delivered = 0
  for (let at = start; at <= end; at++) {
    const left = newMachine(machine.fs.killState(at))
    const again = await open(left)
    const queue = await again.queues.queue('q', options)
    const { partitions } = again.topics.topic('jobs')
    const found = partitions[2]?.log.logEndOffset === 1 ? ['x'] : []
    expect(await takeAll(queue), `killed after ${at} operations`).toEqual(found)
    delivered += found.length
    await again.queues.close()
    await again.topics.close()
  }
  expect(delivered).toBeGreaterThan(0)
})

test('nor in one that was added while the queue was not open', async () => {
  const machine = newMachine()
  const options = { topic: 'jobs', startAt: 'latest' } as const
  const before = await open(machine)
  const jobs = await before.topics.create('jobs', 1, {})
  await jobs.partition(0).log.append({ value: 'before the queue' })
  await before.queues.queue('q', options)
  await before.queues.close()
  await before.topics.grow('jobs', 2)
  await jobs.partition(1).log.append({ value: 'x' })
  await before.topics.close()
  const after = await open(machine)
  expect(await takeAll(await after.queues.queue('q', options))).toEqual(['x'])
  await after.queues.close()
  await after.topics.close()
})
