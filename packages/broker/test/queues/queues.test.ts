import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { ClosedError, InvalidTopicError, TopicNotFoundError } from '../../src/base/broker-errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { readDeadLetter } from '../../src/handling/dead-letter.ts'
import { type NamedQueueOptions, Queues } from '../../src/queues/queues.ts'
import type { Topics } from '../../src/topics/topics.ts'
import { newMachine, openTopics } from '../broker-fixture.ts'

const random = () => 0.5

const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

test('a queue makes its topic, and goes on after a restart', async () => {
  const machine = newMachine()
  {
    await using topics = await openTopics(machine)
    await using queues = new Queues({ topics, logger: silentLogger, random, ...machine })
    const queue = await queues.queue('mail')
    expect(await queues.queue('mail')).toBe(queue)
    for (const value of ['a', 'b']) await queue.enqueue({ value })
    await turns()
    await (await queue.dequeue())?.acknowledge()
    expect(topics.topic('mail').settings.retentionMs).toBe(-1)
  }
  await using topics = await openTopics(machine)
  await using queues = new Queues({ topics, logger: silentLogger, random, ...machine })
  const queue = await queues.queue('mail')
  expect(String((await queue.dequeue())?.record.value)).toBe('b')
})

test('rejected records are kept in the dead-letter topic with where they were', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  await using queues = new Queues({ topics, logger: silentLogger, random, ...machine })
  await topics.create('orders', 2, {})
  const queue = await queues.queue('mail', { topic: 'orders' })
  const { partition } = await queue.enqueue({ key: 'k', value: 'bad' })
  await (await queue.dequeue())?.reject(new Error('unreadable'))
  const { log } = topics.topic('orders.dead-letter').partition(0)
  const letters = []
  for await (const record of log.reader({ from: 0 }).records()) letters.push(readDeadLetter(record))
  expect(letters).toMatchObject([
    { topic: 'orders', partition, offset: 0, attempts: 1, error: 'Error: unreadable' },
  ])
})

test('finished segments of a queue of its own are deleted, others kept', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  await using queues = new Queues({ topics, logger: silentLogger, random, ...machine })
  await topics.create('shared', 1, {})
  for (const [name, options] of [
    ['own', {}],
    ['other', { topic: 'shared' }],
  ] as const) {
    const queue = await queues.queue(name, options)
    const { log } = topics.topic(name === 'own' ? 'own' : 'shared').partition(0)
    for (const value of ['a', 'b', 'c']) {
      await queue.enqueue({ value })
      await log.roll()
    }
    const kept = await queue.dequeue()
    await (await queue.dequeue())?.acknowledge()
    machine.clock.advance(60_000)
    await turns()
    expect(log.logStartOffset).toBe(0)
    // Its time-out has passed meanwhile.
    expect(String((await queue.dequeue())?.record.value)).toBe(String(kept?.record.value))
    await queue.close()
  }
  await using again = new Queues({ topics, logger: silentLogger, random, ...machine })
  const queue = await again.queue('own')
  const { log } = topics.topic('own').partition(0)
  await (await queue.dequeue())?.acknowledge()
  machine.clock.advance(60_000)
  await turns()
  expect(log.logStartOffset).toBe(2)
})

test('a record whose time to live is over is not delivered', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  await using queues = new Queues({ topics, logger: silentLogger, random, ...machine })
  await topics.create('brief', 1, { recordTtlMs: 1000 })
  const queue = await queues.queue('q', { topic: 'brief' })
  await queue.enqueue({ value: 'old' })
  machine.clock.advance(600)
  await queue.enqueue({ value: 'new' })
  await turns()
  expect(queues.measured()).toEqual([{ queue: 'q', length: 2, inFlight: 0, oldestAgeMs: 600 }])
  machine.clock.advance(400)
  expect(String((await queue.dequeue())?.record.value)).toBe('new')
  await turns()
  expect(queues.measured()).toEqual([{ queue: 'q', length: 0, inFlight: 1, oldestAgeMs: 400 }])
})

test('what cannot be a queue is refused, and asked again it is tried again', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  const queues = new Queues({ topics, logger: silentLogger, random, ...machine })
  const options: NamedQueueOptions = { topic: 'later' }
  await expect(queues.queue('q', options)).rejects.toBeInstanceOf(TopicNotFoundError)
  await topics.create('later', 1, {})
  await queues.queue('q', options)
  await expect(queues.queue('')).rejects.toBeInstanceOf(InvalidArgumentError)
  await expect(queues.queue('../x')).rejects.toBeInstanceOf(InvalidTopicError)
  await queues.close()
  await expect(queues.queue('q')).rejects.toBeInstanceOf(ClosedError)
})

test('a topic that is made anew under its name has a queue that knows nothing of the old one', async () => {
  const machine = newMachine()
  const open = async (topics: Topics) => {
    const queues = new Queues({ topics, logger: silentLogger, random, ...machine })
    return { queues, queue: await queues.queue('mail') }
  }
  await using topics = await openTopics(machine)
  const before = await open(topics)
  for (const value of ['a', 'b', 'c']) await before.queue.enqueue({ value })
  for (let count = 0; count < 3; count++) await (await before.queue.dequeue())?.acknowledge()
  await before.queues.close()
  await topics.delete('mail')
  const { queues, queue } = await open(topics)
  await queue.enqueue({ value: 'd' })
  expect(String((await queue.dequeue())?.record.value)).toBe('d')
  await queues.close()
})

test('a queue whose topic is deleted ends, and asked for again is another', async () => {
  const machine = newMachine()
  await using topics = await openTopics(machine)
  await using queues = new Queues({ topics, logger: silentLogger, random, ...machine })
  const queue = await queues.queue('mail')
  await queue.enqueue({ value: 'a' })
  await queue.dequeue()
  const waiting = queue.dequeue()
  const processing = queue.process({ handler: () => undefined })
  await turns()
  await topics.delete('mail')
  await expect(waiting).rejects.toBeInstanceOf(TopicNotFoundError)
  await expect(processing).rejects.toBeInstanceOf(TopicNotFoundError)
  await expect(queue.enqueue({ value: 'b' })).rejects.toBeInstanceOf(TopicNotFoundError)
  expect(queues.measured()).toEqual([])
  const again = await queues.queue('mail')
  await again.enqueue({ value: 'c' })
  expect(String((await again.dequeue())?.record.value)).toBe('c')
})
