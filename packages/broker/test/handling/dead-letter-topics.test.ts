import { BatchTooLargeError } from '@varve/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stringSerde } from '../../src/base/serializers.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import { noRetry } from '../../src/handling/retry-policy.ts'
import { newMachine, openOn, takeValues } from '../broker-fixture.ts'

let varve: DirectoryVarve

beforeEach(async () => {
  varve = await openOn(newMachine())
  await varve.createTopic('orders', { partitions: 2 })
})

afterEach(() => varve.close())

async function send(...values: string[]): Promise<void> {
  for (const value of values) await varve.producer().send('orders', { key: value, value })
}

/** Handles everything that is there; what is bad fails. */
async function handle(bad: ReadonlySet<string>): Promise<string[]> {
  const handled: string[] = []
  const consumer = varve.consumer({
    group: 'g',
    topics: ['orders'],
    follow: false,
    valueDeserializer: stringSerde,
  })
  await consumer.run({
    retry: noRetry,
    deadLetter: varve.deadLetters(),
    handler: ({ value }) => {
      if (value === null || bad.has(value)) throw new Error(`bad ${value}`)
      handled.push(value)
    },
  })
  return handled.sort()
}

test('what a run cannot handle goes to the dead letters, and is handled when it is replayed', async () => {
  await send('a', 'b', 'c', 'd')
  expect(await handle(new Set(['b', 'd']))).toEqual(['a', 'c'])
  const letters = varve.consumer({ topics: ['orders.dead-letter'], follow: false })
  expect((await takeValues(letters, 9)).sort()).toEqual(['b', 'd'])
  expect((await varve.describeTopic('orders.dead-letter')).settings.retentionMs).toBe(-1)
  expect(await handle(new Set())).toEqual([])
  expect(await varve.replayDeadLetters('orders.dead-letter')).toEqual({
    replayed: 2,
    passedOver: 0,
  })
  expect(await handle(new Set())).toEqual(['b', 'd'])
  expect(await varve.replayDeadLetters('orders.dead-letter')).toEqual({
    replayed: 0,
    passedOver: 0,
  })
})

test('letters can be chosen, and another group replays from the beginning', async () => {
  await send('a', 'b')
  await handle(new Set(['a', 'b']))
  const select = ({ error }: { readonly error: string }) => error.includes('bad a')
  const first = await varve.replayDeadLetters('orders.dead-letter', { select })
  expect(first).toEqual({ replayed: 1, passedOver: 1 })
  const options = { group: 'again', toOriginalPartition: true }
  expect((await varve.replayDeadLetters('orders.dead-letter', options)).replayed).toBe(2)
  expect(await handle(new Set())).toEqual(['a', 'a', 'b'])
})

test('the largest record that a topic takes is taken as a dead letter too', async () => {
  const sizes = [2 ** 20 - 60, 2 ** 20 - 64, 2 ** 20 - 100]
  for (const size of sizes) {
    const sent = varve.producer().send('orders', { value: 'x'.repeat(size) })
    await sent.then(null, (error: unknown) => expect(error).toBeInstanceOf(BatchTooLargeError))
  }
  const { partitions } = await varve.describeTopic('orders')
  const count = partitions.reduce((sum, { highWatermark }) => sum + highWatermark, 0)
  expect(count).toBeGreaterThan(0)
  const consumer = varve.consumer({ group: 'g', topics: ['orders'], follow: false })
  await consumer.run({
    retry: noRetry,
    deadLetter: varve.deadLetters(),
    handler: () => {
      throw new Error('e'.repeat(5000))
    },
  })
  const letters = await varve.describeTopic('orders.dead-letter')
  expect(letters.partitions[0]?.highWatermark).toBe(count)
})
