import { expect, test } from 'vitest'
import { InvalidTopicError, TopicExistsError } from '../../src/base/broker-errors.ts'
import type { Topic } from '../../src/topics/topic.ts'
import { TopicTable } from '../../src/topics/topic-table.ts'

const orders = { name: 'or.ders', topicId: 'AAAAAAAAAAAAAAAAAAAABw' } as unknown as Topic

test('a topic is found by name and by id until it is removed', () => {
  const table = new TopicTable()
  table.add(orders)
  expect(table.get('or.ders')).toBe(orders)
  expect(table.byId('AAAAAAAAAAAAAAAAAAAABw')).toBe(orders)
  table.remove(orders)
  expect([table.has('or.ders'), table.byId('AAAAAAAAAAAAAAAAAAAABw')]).toEqual([false, null])
})

test('a name is free unless it is taken, or collides with one that is', () => {
  const table = new TopicTable()
  table.add(orders)
  expect(() => table.checkFree('others')).not.toThrow()
  expect(() => table.checkFree('or.ders')).toThrow(TopicExistsError)
  expect(() => table.checkFree('or_ders')).toThrow(InvalidTopicError)
})
