import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { TopicSettingsTable } from '../../src/topics/topic-settings-table.ts'
import { errorOf, newMachine, openTopics } from '../broker-fixture.ts'

test('what a topic was given goes before the defaults of all', () => {
  const table = new TopicSettingsTable({ retentionMs: 7, segmentBytes: 100 })
  table.keep('orders', { retentionMs: 5 })
  expect(table.resolve('orders')).toMatchObject({ retentionMs: 5, segmentBytes: 100 })
  expect(table.resolve('others')).toMatchObject({ retentionMs: 7, segmentBytes: 100 })
  table.forget('orders')
  expect(table.own('orders')).toEqual({})
})

test('defaults that do not go together with a topic’s settings change nothing', () => {
  const table = new TopicSettingsTable({})
  table.keep('orders', { maxCompactionLagMs: 5 })
  expect(() => table.setDefaults({ minCompactionLagMs: 6 })).toThrow(InvalidArgumentError)
  expect(() => table.setDefaults({ retentionMs: -2 })).toThrow(InvalidArgumentError)
  expect(table.defaults).toEqual({})
})

describe('the settings of topics', () => {
  test('change with the defaults, but for what a topic was given', async () => {
    const topics = await openTopics(newMachine(), { topicDefaults: { segmentBytes: 1000 } })
    const plain = await topics.create('plain', 1, {})
    const own = await topics.create('own', 1, { segmentBytes: 500 })
    await topics.alterDefaults({ segmentBytes: 2000, retentionMs: 9 })
    expect(plain.settings).toMatchObject({ segmentBytes: 2000, retentionMs: 9 })
    expect(plain.partition(0).log.options.segmentBytes).toBe(2000)
    expect(own.partition(0).log.options.segmentBytes).toBe(500)
    const later = await topics.create('later', 1, {})
    expect(later.partition(0).log.options.segmentBytes).toBe(2000)
    expect(topics.settings.own('own')).toEqual({ segmentBytes: 500 })
    await errorOf(topics.alterDefaults({ segmentBytes: 1 }), InvalidArgumentError)
    expect(topics.settings.defaults).toEqual({ segmentBytes: 2000, retentionMs: 9 })
    await topics.close()
  })

  test('are changed by what they are when their turn has come', async () => {
    const topics = await openTopics(newMachine())
    await topics.create('orders', 1, { retentionMs: 1 })
    const add = () =>
      topics.alter('orders', ({ retentionMs = 0 }) => ({ retentionMs: retentionMs + 1 }))
    await Promise.all([add(), add(), add()])
    expect(topics.settings.own('orders')).toEqual({ retentionMs: 4 })
    await topics.close()
  })

  test('are looked at without being changed', async () => {
    const topics = await openTopics(newMachine())
    const checked = topics.checkCreation('orders', 2, { retentionMs: 5 })
    expect(checked).toMatchObject({ retentionMs: 5, segmentMs: 7 * 86_400_000 })
    expect(() => topics.checkCreation('orders', 0, {})).toThrow(InvalidArgumentError)
    expect(topics.all).toEqual([])
    await topics.create('orders', 1, {})
    expect(topics.checkAlteration('orders', { retentionMs: 6 })).toMatchObject({ retentionMs: 6 })
    expect(() => topics.checkAlteration('orders', { retentionMs: -2 })).toThrow(
      InvalidArgumentError,
    )
    expect(topics.settings.own('orders')).toEqual({})
    await topics.close()
  })

  test('keep what only a cluster makes use of', async () => {
    const machine = newMachine()
    const kafkaSettings = { 'min.insync.replicas': '2' }
    const topics = await openTopics(machine)
    await topics.create('orders', 1, { kafkaSettings })
    await topics.close()
    const again = await openTopics(machine)
    expect(again.settings.own('orders')).toEqual({ kafkaSettings })
    await again.close()
  })
})
