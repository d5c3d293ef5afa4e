import { expect, test } from 'vitest'
import { ProducerFencedError } from '../../src/base/broker-errors.ts'
import { ClusterCoordinator } from '../../src/cluster/cluster-coordinator.ts'
import { ClusterGroups } from '../../src/cluster/cluster-groups.ts'
import { fetchOffsets } from '../../src/cluster/cluster-offsets.ts'
import type { ClusterTopics } from '../../src/cluster/cluster-topics.ts'
import { ClusterTransactions } from '../../src/cluster/cluster-transactions.ts'
import { kafkaCodes } from '../../src/cluster/kafka-codes.ts'
import { NamedIdentities } from '../../src/cluster/producer-identities.ts'
import {
  GroupNotEmptyError,
  IllegalGenerationError,
  UnknownMemberError,
} from '../../src/groups/group-errors.ts'
import type { JoinRequest } from '../../src/groups/group-protocol.ts'
import { TransactionEndedError } from '../../src/transactions/transaction-errors.ts'
import { errorOf } from '../broker-fixture.ts'
import { until } from '../contract/contract-home.ts'
import { type Answers, away, fakeCluster, inTurn, refused } from './fake-cluster.ts'

const topics = {
  topic: async () => ({ partitions: [0, 1] }),
  watch: () => () => undefined,
} as unknown as ClusterTopics

function connect(answers: Answers): Promise<ClusterCoordinator> {
  const options = { topics: ['t'], rebalanceTimeoutMs: 100 }
  return ClusterCoordinator.connect(fakeCluster(answers), topics, options)
}

const told: string[] = []

function request(): JoinRequest {
  told.length = 0
  return {
    ...{ memberId: '', groupInstanceId: null, clientId: 'c', clientHost: 'h' },
    ...{ protocolType: 'consumer', protocols: [], sessionTimeoutMs: 1, rebalanceTimeoutMs: 1 },
    local: {
      rebalance: () => told.push('rebalance'),
      removed: (error) => told.push(error.name),
    },
  }
}

const joined = {
  ...{ generationId: 4, leader: 'm-1', protocolName: 'range', skipAssignment: false },
  ...{ memberId: 'm-1', members: [{ memberId: 'm-1', metadata: null }] },
}
const idRequired = Object.assign(new Error('no id'), {
  response: { errorCode: kafkaCodes.memberIdRequired, memberId: 'm-1' },
})

test('a new member is given an id, joins with it, and hears of a rebalance', async () => {
  const asked: unknown[] = []
  const join = inTurn(idRequired, joined)
  const coordinator = await connect({
    joinGroupV9: (...args: unknown[]) => {
      asked.push(args[3])
      return join()
    },
    syncGroupV5: () => ({ assignment: Buffer.from('given') }),
    heartbeatV4: inTurn(undefined, away(), refused(kafkaCodes.rebalanceInProgress)),
    leaveGroupV5: () => undefined,
  })
  const result = await coordinator.join('g', request())
  expect(asked).toEqual(['', 'm-1'])
  expect(result).toMatchObject({ memberId: 'm-1', generation: 4, leader: 'm-1' })
  expect(result.members).toEqual([
    { memberId: 'm-1', groupInstanceId: null, metadata: Buffer.alloc(0) },
  ])
  const identity = { memberId: 'm-1', groupInstanceId: null, generation: 4 }
  const bytes = await coordinator.sync('g', { ...identity, assignments: new Map() })
  expect(String(bytes)).toBe('given')
  await until(() => told.includes('rebalance'))
  await coordinator.leave('g', 'm-1')
  await coordinator.close()
})

test.each([
  [kafkaCodes.unknownMemberId, 'UnknownMemberError'],
  [kafkaCodes.illegalGeneration, 'IllegalGenerationError'],
  [kafkaCodes.fencedInstanceId, 'FencedInstanceError'],
])('a member whose heartbeat is answered with %i is put out', async (code, name) => {
  const coordinator = await connect({
    joinGroupV9: () => joined,
    syncGroupV5: () => ({ assignment: Buffer.alloc(0) }),
    heartbeatV4: inTurn(refused(code)),
  })
  await coordinator.join('g', request())
  const identity = { memberId: 'm-1', groupInstanceId: null, generation: 4 }
  await coordinator.sync('g', { ...identity, assignments: new Map() })
  await until(() => told.length > 0)
  expect(told).toEqual([name])
  await coordinator.close()
})

test('a static leader that is back does not divide anew', async () => {
  const back = { ...joined, skipAssignment: true }
  const coordinator = await connect({ joinGroupV9: () => back })
  expect(await coordinator.join('g', request())).toMatchObject({
    leader: 'm-1',
    skipAssignment: true,
  })
  await coordinator.close()
})

test('commits are refused as here, and partitions are told by when they came', async () => {
  const coordinator = await connect({ offsetCommitV9: inTurn(refused(22), refused(25), away()) })
  const identity = { memberId: 'm', groupInstanceId: null, generation: 1 }
  await errorOf(coordinator.commit('g', identity, []), IllegalGenerationError)
  await errorOf(coordinator.commit('g', identity, []), UnknownMemberError)
  await coordinator.commit('g', identity, [])
  expect(coordinator.wasMadeAfter(0, { topic: 't', partition: 1 })).toBe(false)
  expect(coordinator.wasMadeAfter(0, { topic: 't', partition: 2 })).toBe(true)
  await coordinator.close()
})

test('committed offsets come in the order in which they were asked for', async () => {
  const partitions = [
    { partitionIndex: 0, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '' },
    { partitionIndex: 1, committedOffset: 9n, committedLeaderEpoch: 2, metadata: null },
  ]
  const cluster = fakeCluster({
    offsetFetchV9: () => ({ groups: [{ topics: [{ name: 't', partitions }] }] }),
  })
  const places = [1, 0].map((partition) => ({ topic: 't', partition }))
  expect(await fetchOffsets(cluster, 'g', places)).toEqual([
    { topic: 't', partition: 1, offset: 9, leaderEpoch: 2, metadata: '' },
    null,
  ])
  expect(await fetchOffsets(cluster, 'g', [])).toEqual([])
})

test('offsets of a group with members are not set', async () => {
  const group = { groupState: 'Stable', protocolType: 'consumer', protocolData: '', members: [{}] }
  const groups = new ClusterGroups(
    fakeCluster({
      offsetCommitV9: () => {
        throw refused(kafkaCodes.unknownMemberId)
      },
      describeGroupsV5: () => ({ groups: [group] }),
      offsetFetchV9: () => ({ groups: [] }),
    }),
  )
  const error = await errorOf(groups.resetOffsets('g', []), GroupNotEmptyError)
  expect(error.members).toBe(1)
})

test('a transaction that has ended is as good as aborted, but not committed', async () => {
  const cluster = fakeCluster({
    endTxnV3: () => {
      throw refused(kafkaCodes.invalidTransactionState)
    },
  })
  const transactions = new ClusterTransactions(cluster, new NamedIdentities(cluster, 'id', 1000))
  const identity = { producerId: 1, producerEpoch: 0 }
  await transactions.end('id', identity, 'abort')
  await errorOf(transactions.end('id', identity, 'commit'), TransactionEndedError)
})

test('whoever is fenced is told, also where nobody waits', async () => {
  const fencing: unknown[] = []
  const cluster = fakeCluster({
    initProducerIdV4: inTurn({ producerId: 5n, producerEpoch: 2 }, refused(90)),
    endTxnV3: inTurn(refused(kafkaCodes.invalidProducerEpoch)),
  })
  const identities = new NamedIdentities(cluster, 'id', 1000)
  const identity = await identities.take((error) => fencing.push(error))
  expect(identity).toEqual({ producerId: 5, producerEpoch: 2 })
  const transactions = new ClusterTransactions(cluster, identities)
  await errorOf(transactions.end('id', identity, 'commit'), ProducerFencedError)
  await errorOf(identities.renew(identity), ProducerFencedError)
  expect(fencing).toHaveLength(2)
})
