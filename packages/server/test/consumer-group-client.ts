import { randomUUID } from 'node:crypto'
import type { RequestOf, ResponseOf } from '../src/protocol/api-declaration.ts'
import { consumerGroupHeartbeat } from '../src/protocol/apis/consumer-group-heartbeat.ts'
import { offsetCommit } from '../src/protocol/apis/offset-commit.ts'
import { offsetFetch } from '../src/protocol/apis/offset-fetch.ts'
import type { WireClient } from './wire-client.ts'

type Request = RequestOf<typeof consumerGroupHeartbeat>
type Answer = ResponseOf<typeof consumerGroupHeartbeat>
type Owned = NonNullable<Request['topicPartitions']>

/** A member of a group of the consumer protocol, over the wire. */
export class ConsumerGroupClient {
  readonly client: WireClient
  readonly group: string
  readonly memberId: string
  epoch = 0
  owned: Owned = []
  readonly #instance: string | null

  constructor(
    client: WireClient,
    group: string = 'g',
    instance: string | null = null,
    memberId: string = randomUUID(),
  ) {
    this.memberId = memberId
    this.client = client
    this.group = group
    this.#instance = instance
  }

  /** A heartbeat; the first one joins. Takes over what it is told. */
  async beat(said: Partial<Request> = {}, version = 1): Promise<Answer> {
    const isFirst = this.epoch === 0
    const answer = await this.client.call(consumerGroupHeartbeat, version, {
      ...{ groupId: this.group, memberId: this.memberId, memberEpoch: this.epoch },
      ...{ instanceId: this.#instance, rackId: null, serverAssignor: null },
      rebalanceTimeoutMs: isFirst ? 60_000 : -1,
      subscribedTopicNames: isFirst ? ['t'] : null,
      subscribedTopicRegex: null,
      topicPartitions: isFirst ? [] : this.owned,
      ...said,
    })
    if (answer.errorCode !== 0) return answer
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) this.owned = answer.assignment.topicPartitions
    return answer
  }

  get partitions(): number[] {
    return this.owned.flatMap(({ partitions }) => partitions).sort()
  }

  /** Beats with others until a condition holds. */
  static async until(
    members: readonly ConsumerGroupClient[],
    condition: () => boolean,
  ): Promise<void> {
    for (let round = 0; !condition(); round++) {
      if (round === 50) throw new Error('the members have waited in vain')
      for (const member of members) await member.beat()
    }
  }

  /** Leaves: for good, or to be back. */
  async leave(memberEpoch: -1 | -2 = -1): Promise<Answer> {
    return this.beat({ memberEpoch, topicPartitions: null })
  }

  /** Commits an offset of `t`, and returns the partition's error code. */
  async commit(partition: number, offset: number, epoch: number = this.epoch, version = 9) {
    const { topics } = await this.client.call(offsetCommit, version, {
      ...{ groupId: this.group, generationIdOrMemberEpoch: epoch, memberId: this.memberId },
      groupInstanceId: null,
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: partition, committedOffset: offset, committedMetadata: null },
          ],
        },
      ],
    })
    return topics[0]?.partitions[0]?.errorCode
  }

  /** What the group has committed of `t`, or why it is not told. */
  async fetch(partition: number, epoch: number = this.epoch, memberId: string = this.memberId) {
    const { groups } = await this.client.call(offsetFetch, 9, {
      groups: [
        {
          ...{ groupId: this.group, memberId, memberEpoch: epoch },
          topics: [{ name: 't', partitionIndexes: [partition] }],
        },
      ],
      requireStable: true,
    })
    const [group] = groups ?? []
    const offset = group?.topics[0]?.partitions[0]?.committedOffset
    return group?.errorCode === 0 ? offset : { errorCode: group?.errorCode }
  }
}
