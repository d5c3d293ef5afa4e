import { expect, test } from 'vitest'
import { ClusterCoordinator } from '../../src/cluster/cluster-coordinator.ts'
import type { ClusterTopics } from '../../src/cluster/cluster-topics.ts'
import { kafkaCodes } from '../../src/cluster/kafka-codes.ts'
import type { PartitionOwner } from '../../src/consuming/assignment-source.ts'
import { encodeAssignment } from '../../src/groups/consumer-protocol.ts'
import { IllegalGenerationError } from '../../src/groups/group-errors.ts'
import { GroupMember } from '../../src/groups/group-member.ts'
import { errorOf } from '../broker-fixture.ts'
import { until } from '../contract/contract-home.ts'
import { fakeCluster, refused } from './fake-cluster.ts'

const topics = {
  topic: async () => ({ partitions: [0] }),
  watch: () => () => undefined,
} as unknown as ClusterTopics
const owner: PartitionOwner = {
  assign: async () => undefined,
  revoke: async () => undefined,
  lose: () => undefined,
  fail: () => undefined,
}
const offsets = [{ topic: 't', partition: 0, offset: 7 }]

/** Answers of a broker to which a generation is over before the member has heard of the next. */
function overtaking() {
  const told = { generation: 4, isBeating: false, commits: [] as number[] }
  let letJoin: () => void = () => undefined
  const mayJoin = new Promise<void>((resolve) => {
    letJoin = resolve
  })
  const answers = {
    joinGroupV9: async () => {
      if (told.generation > 4) await mayJoin
      const { generation: generationId } = told
      const name = { memberId: 'm', leader: 'other', protocolName: 'cooperative-sticky' }
      return { ...name, generationId, skipAssignment: false, members: [] }
    },
    syncGroupV5: () => ({
      assignment: encodeAssignment({ partitions: [{ topic: 't', partition: 0 }], userData: null }),
    }),
    heartbeatV4: () => {
      if (told.isBeating) throw refused(kafkaCodes.rebalanceInProgress)
    },
    offsetCommitV9: (_group: never, generation: never) => {
      told.commits.push(generation)
      if (generation !== told.generation) throw refused(kafkaCodes.illegalGeneration)
    },
    leaveGroupV5: () => undefined,
  }
  return { told, answers, letJoin: () => letJoin() }
}

test('a commit that a rebalance has overtaken is made in the generation that follows', async () => {
  const { told, answers, letJoin } = overtaking()
  const member = new GroupMember(
    () =>
      ClusterCoordinator.connect(fakeCluster(answers), topics, {
        ...{ topics: ['t'], rebalanceTimeoutMs: 100 },
      }),
    { group: 'g', topics: ['t'] },
  )
  await member.start(owner)
  await member.commit(offsets)
  told.generation = 5
  await errorOf(member.commit(offsets), IllegalGenerationError)
  told.isBeating = true
  await new Promise((resolve) => setTimeout(resolve, 20))
  told.isBeating = false
  const committing = member.commit(offsets)
  await until(() => told.commits.length === 3)
  letJoin()
  await committing
  expect(told.commits).toEqual([4, 4, 4, 5])
  await member.close()
})
