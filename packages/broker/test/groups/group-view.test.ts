import { expect, test } from 'vitest'
import { encodeSubscription } from '../../src/groups/consumer-protocol.ts'
import { subscribedTopicsOf } from '../../src/groups/group-view.ts'

function member(subscription: Buffer) {
  return {
    ...{ memberId: 'm', groupInstanceId: null, clientId: 'c', clientHost: '/127.0.0.1' },
    ...{ rebalanceTimeoutMs: 1, sessionTimeoutMs: 1, subscription, assignment: Buffer.alloc(0) },
  }
}

const reading = (...topics: string[]) =>
  member(
    encodeSubscription({
      ...{ topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null },
    }),
  )

test('a group reads what any of its members does, as far as that is known', () => {
  const protocolType = 'consumer'
  const members = [reading('a', 'b'), reading('b', 'c')]
  expect([...(subscribedTopicsOf({ protocolType, members }) ?? [])]).toEqual(['a', 'b', 'c'])
  const unknown = [...members, member(Buffer.of(0))]
  expect(subscribedTopicsOf({ protocolType, members: unknown })).toBeNull()
  expect(subscribedTopicsOf({ protocolType: 'connect', members })).toBeNull()
  expect(subscribedTopicsOf({ protocolType, members: [] })).toBeNull()
})
