import type { Log } from '@varve/log'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { topicIdIn, unusedProducerId } from '../../src/topics/adopted-logs.ts'
import { newMachine, openTopics } from '../broker-fixture.ts'

test('the id of a topic is read where its partition lies, and is none where it is damaged', async () => {
  const machine = newMachine()
  const topics = await openTopics(machine)
  const { topicId } = await topics.create('orders', 1, {})
  const directory = `${topics.directory.path}/orders-0`
  expect(topicIdIn(machine.fs, directory)).toBe(topicId)
  await topics.close()
  expect(topicIdIn(new SimulatedFileSystem(), '/nowhere')).toBeNull()
})

test('producer ids begin a block above all that are in use', () => {
  const log = (...ids: number[]) =>
    ({ producers: () => ids.map((producerId) => ({ producerId })) }) as unknown as Log
  expect(unusedProducerId([], 1000)).toBe(0)
  expect(unusedProducerId([log(), log(3, 999)], 1000)).toBe(1000)
  expect(unusedProducerId([log(1000), log(5)], 1000)).toBe(2000)
})
