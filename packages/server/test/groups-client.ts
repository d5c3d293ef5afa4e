import { decodeAssignment, encodeAssignment, encodeSubscription } from '@varve/broker'
import { expect } from 'vitest'
import { heartbeat } from '../src/protocol/apis/heartbeat.ts'
import { joinGroup } from '../src/protocol/apis/join-group.ts'
import { leaveGroup } from '../src/protocol/apis/leave-group.ts'
import { offsetCommit } from '../src/protocol/apis/offset-commit.ts'
import { offsetFetch } from '../src/protocol/apis/offset-fetch.ts'
import { syncGroup } from '../src/protocol/apis/sync-group.ts'
import { errorCodes } from '../src/protocol/error-codes.ts'
import type { WireClient } from './wire-client.ts'

type Joined = Awaited<ReturnType<GroupClient['join']>>

/** A member of the group `g`, over the wire. */
export class GroupClient {
  readonly client: WireClient
  readonly group: string
  readonly instance: string | null
  memberId = ''
  generation = -1

  constructor(client: WireClient, group: string = 'g', instance: string | null = null) {
    this.client = client
    this.group = group
    this.instance = instance
  }

  /** What it offers: assignors, with a subscription. */
  protocols: readonly string[] = ['range']
  topics: readonly string[] = ['t']
  protocolType = 'consumer'
  /** Of `t`, what it says that it has. */
  owned: readonly number[] = []
  sessionTimeoutMs = 10_000

  /** One JoinGroup. Takes over the id and generation of the answer. */
  async join(version = 9) {
    const metadata = encodeSubscription({
      ...{ topics: this.topics, userData: null, rackId: null },
      ownedPartitions: this.owned.map((partition) => ({ topic: 't', partition })),
      generationId: this.owned.length === 0 ? -1 : this.generation,
    })
    const answer = await this.client.call(joinGroup, version, {
      groupId: this.group,
      sessionTimeoutMs: this.sessionTimeoutMs,
      rebalanceTimeoutMs: 60_000,
      memberId: this.memberId,
      groupInstanceId: this.instance,
      protocolType: this.protocolType,
      protocols: this.protocols.map((name) => ({ name, metadata })),
      reason: 'a test',
    })
    this.memberId = answer.memberId
    if (answer.errorCode === errorCodes.NONE) this.generation = answer.generationId
    return answer
  }

  /** Joins with the id that it is given first. */
  async enter(): Promise<Joined> {
    const first = await this.join()
    if (first.errorCode !== errorCodes.MEMBER_ID_REQUIRED) return first
    return this.join()
  }

  /** @param parts what the leader says that each member gets */
  async sync(parts: ReadonlyMap<string, string | Buffer> = new Map()) {
    return this.client.call(syncGroup, 5, {
      ...this.#identity,
      generationId: this.generation,
      ...{ protocolType: this.protocolType, protocolName: this.protocols[0] ?? '' },
      assignments: [...parts].map(([memberId, part]) => {
        return { memberId, assignment: Buffer.from(part as string) }
      }),
    })
  }

  /** Asks for its part; gives itself these partitions of `t` if it leads. */
  async share(partitions: readonly number[] = []): Promise<number> {
    const listed = partitions.map((partition) => ({ topic: 't', partition }))
    const part = encodeAssignment({ partitions: listed, userData: null })
    const synced = await this.sync(new Map([[this.memberId, part]]))
    if (synced.errorCode !== errorCodes.NONE) return synced.errorCode
    this.owned = decodeAssignment(synced.assignment).partitions.map(({ partition }) => partition)
    return synced.errorCode
  }

  /** Alone, it gives itself its part. */
  async syncAlone(): Promise<void> {
    const synced = await this.sync(new Map([[this.memberId, 'all']]))
    expect([synced.errorCode, String(synced.assignment)]).toEqual([0, 'all'])
  }

  async beat(): Promise<number> {
    const request = { ...this.#identity, generationId: this.generation }
    return (await this.client.call(heartbeat, 4, request)).errorCode
  }

  async leave(): Promise<number> {
    const members = [{ memberId: this.memberId, groupInstanceId: this.instance, reason: null }]
    const answer = await this.client.call(leaveGroup, 5, { groupId: this.group, members })
    return answer.errorCode || (answer.members[0]?.errorCode ?? -1)
  }

  /** Commits an offset of `t`, and returns the partition's error code. */
  async commit(partition: number, offset: number, version = 9, metadata = ''): Promise<number> {
    const answer = await this.client.call(offsetCommit, version, {
      ...this.#identity,
      generationIdOrMemberEpoch: this.generation,
      topics: [
        {
          name: 't',
          partitions: [
            {
              partitionIndex: partition,
              committedOffset: offset,
              committedLeaderEpoch: 3,
              committedMetadata: metadata,
            },
          ],
        },
      ],
    })
    return answer.topics[0]?.partitions[0]?.errorCode ?? -1
  }

  async committed(partition: number, requireStable = false) {
    const topics = [{ name: 't', partitionIndexes: [partition] }]
    const groups = [{ groupId: this.group, topics }]
    const answer = await this.client.call(offsetFetch, 9, { groups, requireStable })
    return answer.groups[0]?.topics[0]?.partitions[0]
  }

  get #identity() {
    return { groupId: this.group, memberId: this.memberId, groupInstanceId: this.instance }
  }
}
