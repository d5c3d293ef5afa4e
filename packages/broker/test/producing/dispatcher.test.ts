import { afterEach, beforeEach, expect, test } from 'vitest'
import { TopicNotFoundError } from '../../src/base/broker-errors.ts'
import { Dispatcher } from '../../src/producing/dispatcher.ts'
import type { IdentitySource } from '../../src/producing/producer-identity.ts'
import { resolveSendingOptions } from '../../src/producing/producer-options.ts'
import type { Topics } from '../../src/topics/topics.ts'
import { errorOf, newMachine, openTopics, producingContext, turns } from '../broker-fixture.ts'

const machine = newMachine()
let topics: Topics
/** Lets the lookups of topics that are under way end. */
let letFind: () => void
let lookups: number

beforeEach(async () => {
  topics = await openTopics(newMachine())
  await topics.create('t', 1, {})
  lookups = 0
  letFind = () => undefined
})
afterEach(() => topics.close())

/** Topics are looked up in their own time, as on a cluster. */
function slowDispatcher(identities: IdentitySource | null = null): Dispatcher {
  const found = new Promise<void>((resolve) => {
    letFind = resolve
  })
  const context = {
    ...producingContext(topics, machine),
    topic: async (name: string) => {
      lookups++
      await found
      return topics.topic(name)
    },
  }
  return new Dispatcher(context, {
    ...{ sending: resolveSendingOptions({}), identities, isTransactional: false },
    ...{ admit: () => null, failed: () => undefined },
  })
}

test('sends that wait for a topic keep their order, also with those that come then', async () => {
  const dispatcher = slowDispatcher()
  const sent = [0, 1, 2].map((n) => dispatcher.send('t', { value: `v${n}` }, 0))
  const flushed = dispatcher.flush()
  const together = dispatcher.sendAll('t', [{ value: 'v3' }, { value: 'v4' }], undefined)
  expect(lookups).toBe(1)
  letFind()
  await turns(1)
  const late = dispatcher.send('t', { value: 'v5' }, 0)
  await flushed
  expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual([0, 1, 2])
  expect((await together)[0]).toMatchObject({ baseOffset: 3, lastOffset: 4 })
  expect((await late).offset).toBe(5)
})

test('those who wait for a topic that is not there are told, and may ask again', async () => {
  const dispatcher = slowDispatcher()
  const refused = [1, 2].map(() => errorOf(dispatcher.send('u', {}, 0), TopicNotFoundError))
  letFind()
  await Promise.all(refused)
  await dispatcher.flush()
  await topics.create('u', 1, {})
  expect((await dispatcher.send('u', { value: 'a' }, 0)).offset).toBe(0)
  expect(lookups).toBe(2)
})

test('those who wait for an identity that is not to be had are told, once asked', async () => {
  let asked = 0
  const take = async () => {
    asked++
    if (asked === 1) throw new RangeError('none')
    return { producerId: 7, producerEpoch: 0 }
  }
  const dispatcher = slowDispatcher({ take, giveBack: () => undefined })
  letFind()
  const refused = [1, 2, 3].map(() => errorOf(dispatcher.send('t', {}, 0), RangeError))
  await Promise.all(refused)
  expect(asked).toBe(1)
  await dispatcher.send('t', { value: 'a' }, 0)
  expect([asked, dispatcher.identity.producerId]).toEqual([2, 7])
})
