import { describe, expect, test } from 'vitest'
import { InvalidTopicError } from '../../src/base/broker-errors.ts'
import { checkTopicName, collidingTopic, isInternalTopic } from '../../src/base/topic-names.ts'

describe('the name of a topic', () => {
  test.each(['a', 'Orders.2026_v-1', '...', '-', '__mine', 'x'.repeat(249)])(
    'may be %s',
    (topic) => {
      expect(() => checkTopicName(topic)).not.toThrow()
    },
  )

  test.each([
    '',
    '.',
    '..',
    '../escape',
    'a/b',
    'a\\b',
    'a b',
    'é',
    'a\0',
    'a\n',
    'x'.repeat(250),
    null,
    7,
    undefined,
  ])('may not be %j', (topic) => {
    expect(() => checkTopicName(topic)).toThrow(InvalidTopicError)
  })

  test('collides with one that differs only in dots and underscores', () => {
    expect(collidingTopic('a.b', ['a_b', 'c'])).toBe('a_b')
    expect(collidingTopic('a_b_c', ['a.b_c'])).toBe('a.b_c')
    expect(collidingTopic('a.b', ['a.b', 'a-b', 'ab'])).toBeNull()
  })

  test('is internal for the two topics that Kafka keeps for itself', () => {
    expect(isInternalTopic('__consumer_offsets')).toBe(true)
    expect(isInternalTopic('__transaction_state')).toBe(true)
    expect(isInternalTopic('__other')).toBe(false)
  })
})
