import { LogClosedError } from '@varve/log'
import { describe, expect, test } from 'vitest'
import { queueStateTopic } from '../../src/base/topic-names.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import type { Delivery } from '../../src/queues/delivery.ts'
import type { Queue } from '../../src/queues/queue.ts'
import { DeliveryExpiredError } from '../../src/queues/queue-errors.ts'
import { errorOf, newMachine, openOn, turns } from '../broker-fixture.ts'

async function mustTake(queue: Queue): Promise<Delivery> {
  const delivery = await queue.dequeue()
  if (delivery === null) throw new Error('a queue without an end has a record')
  return delivery
}

const textOf = ({ record }: Delivery): string => String(record.value)

/** One record acknowledged, one with a consumer, one waiting. */
async function begin(varve: DirectoryVarve): Promise<{ queue: Queue; taken: Delivery }> {
  const queue = await varve.queue('mail')
  for (const value of ['done', 'taken', 'waiting']) await queue.enqueue({ value })
  await turns(20)
  await (await mustTake(queue)).acknowledge()
  return { queue, taken: await mustTake(queue) }
}

describe.each(['mail', queueStateTopic])(
  'a queue whose partition of %s is opened again',
  (topic) => {
    test('goes on: what is finished stays so, what consumers have is delivered again', async () => {
      const machine = newMachine()
      await using varve = await openOn(machine)
      const { queue, taken } = await begin(varve)
      await varve.reopenPartition(topic, 0)
      await errorOf(taken.acknowledge(), DeliveryExpiredError)
      await queue.enqueue({ value: 'new' })
      const again = [await mustTake(queue), await mustTake(queue), await mustTake(queue)]
      expect(again.map(textOf)).toEqual(['taken', 'waiting', 'new'])
      expect(again.map(({ deliveryCount }) => deliveryCount)).toEqual([2, 1, 1])
      for (const delivery of again) await delivery.acknowledge()
      expect(queue.length).toBe(0)
      expect(await queue.dequeue({ waitMs: 0 })).toBeNull()
      await varve.close()
      await using next = await openOn(machine)
      expect(await (await next.queue('mail')).dequeue({ waitMs: 0 })).toBeNull()
    })

    test('is handed on to consumers that wait', async () => {
      await using varve = await openOn(newMachine())
      const queue = await varve.queue('mail')
      const waiting = queue.dequeue()
      const ending = new AbortController()
      const handled: string[] = []
      const processing = queue.process({
        handler: ({ value }) => void handled.push(String(value)),
        signal: ending.signal,
      })
      await varve.reopenPartition(topic, 0)
      await varve.reopenPartition(topic, 0)
      for (const value of ['a', 'b', 'c']) await queue.enqueue({ value })
      expect(textOf((await waiting) as Delivery)).toBe('a')
      while (handled.length < 2) await turns(1)
      expect(handled).toEqual(['b', 'c'])
      ending.abort()
      await processing
    })
  },
)

test('a queue whose log stays closed fails after ten seconds, not before', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine)
  const { queue } = await begin(varve)
  const other = await varve.queue('other')
  await varve.log('mail', 0).close()
  await turns(20)
  expect(textOf(await mustTake(queue))).toBe('waiting')
  const waiting = errorOf(queue.dequeue(), LogClosedError)
  machine.clock.advance(9_999)
  await turns(20)
  machine.clock.advance(1)
  await waiting
  await other.enqueue({ value: 'x' })
  expect(textOf(await mustTake(other))).toBe('x')
  await varve.reopenPartition('mail', 0)
  expect(textOf(await mustTake(queue))).toBe('taken')
})
