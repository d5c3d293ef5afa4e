import { type Channel, channel } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { Subscriptions } from '../../src/metrics/subscriptions.ts'

test('all listeners hear what is published, until they end together', () => {
  const [one, other] = ['one', 'other'].map((name) => {
    return channel(`varve:test:${name}`) as Channel<unknown, number>
  })
  if (one === undefined || other === undefined) throw new Error('there are two channels')
  const heard: string[] = []
  const subscriptions = new Subscriptions()
  subscriptions.add<number>(one, (value) => heard.push(`one ${value}`))
  subscriptions.add<number>(other, (value) => heard.push(`other ${value}`))
  one.publish(1)
  other.publish(2)
  subscriptions.end()
  one.publish(3)
  other.publish(4)
  expect(heard).toEqual(['one 1', 'other 2'])
  expect(one.hasSubscribers || other.hasSubscribers).toBe(false)
  subscriptions.end()
})
