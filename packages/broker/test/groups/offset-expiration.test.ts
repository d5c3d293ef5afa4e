import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import type { StoredOffset } from '../../src/groups/group-offsets.ts'
import {
  checkOffsetsRetention,
  type ExpiryFacts,
  expiredOffsets,
} from '../../src/groups/offset-expiration.ts'

function stored(topic: string, commitTimestamp: number, expireTimestamp = -1): StoredOffset {
  const value = { offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp, expireTimestamp }
  return { topic, partition: 0, recordOffset: 0, ...value }
}

const empty: ExpiryFacts = {
  state: 'empty',
  hasMembership: true,
  currentStateTimestamp: 500,
  subscribedTopics: null,
}

test.each<readonly [string, Partial<ExpiryFacts>, number, readonly string[]]>([
  [
    'an empty group keeps all until the retention time after its last member left',
    {},
    599,
    ['own'],
  ],
  ['an empty group loses all then', {}, 600, ['old', 'new', 'own']],
  [
    'a group without members loses each after its own commit',
    { hasMembership: false },
    150,
    ['old', 'own'],
  ],
  [
    'a group that does not know when it became empty goes by the commits',
    { currentStateTimestamp: -1 },
    150,
    ['old', 'own'],
  ],
  [
    'a stable group keeps what it reads',
    { state: 'stable', subscribedTopics: new Set(['old', 'own']) },
    9999,
    ['new'],
  ],
  ['a stable group of unknown subscriptions keeps all', { state: 'stable' }, 9999, []],
  ['a group in a rebalance keeps all', { state: 'changing' }, 9999, []],
])('%s', (_name, facts, nowMs, expected) => {
  // A commit with an expiry of its own goes at that time.
  const offsets = [stored('old', 50), stored('new', 400), stored('own', 400, 150)]
  const expired = expiredOffsets(offsets, { ...empty, ...facts }, nowMs, 100)
  expect(expired.map(({ topic }) => topic)).toEqual(expected)
})

test.each([0, -1, 0.5, Number.NaN])('a retention of %d ms is refused', (retentionMs) => {
  expect(() => checkOffsetsRetention(retentionMs)).toThrow(InvalidArgumentError)
})
