import type { ConnectionPool } from '@platformatic/kafka'
import type { Clock, Timer } from '@varve/log'
import { TopicNotFoundError } from '../base/broker-errors.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import { RebalanceInProgressError } from '../groups/group-errors.ts'
import type {
  JoinRequest,
  JoinResult,
  LocalMember,
  MemberIdentity,
  SyncRequest,
} from '../groups/group-protocol.ts'
import type { MemberCoordinator } from '../groups/member-coordinator.ts'
import { type Cluster, isPassingFailure } from './cluster.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import { fetchOffsets } from './cluster-offsets.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import { offsetsByTopic } from './cluster-transactions.ts'
import { groupErrorOf } from './group-failures.ts'
import type { JoinGroupAnswer } from './kafka-client.ts'
import { kafkaCodes } from './kafka-codes.ts'

/** A member as the group's coordinator knows it. */
interface Membership extends MemberIdentity {
  readonly group: string
  readonly protocol: string
  readonly isLeader: boolean
  readonly local: LocalMember | null
}

const protocolType = 'consumer'

/**
 * The coordinator of a group on a cluster, for one member here: Kafka's classic protocol, with the
 * heartbeats that a member of the same process does not need.
 */
export class ClusterCoordinator implements MemberCoordinator {
  readonly clock: Clock
  readonly #cluster: Cluster
  readonly #topics: ClusterTopics
  /** Joining is answered when everybody has joined: nothing else must wait behind it. */
  readonly #joinPool: ConnectionPool
  #membership: Membership | null = null
  #heartbeat: Timer | null = null
  #unwatch: (() => void) | null = null
  /** How many partitions topics had when they were first seen. */
  readonly #firstCounts = new Map<string, number>()
  #isClosed = false
  /** Of a member that is joining for the first time. */
  #joiningId = ''
  readonly #stopping = new AbortController()

  private constructor(cluster: Cluster, topics: ClusterTopics, rebalanceTimeoutMs: number) {
    this.clock = cluster.clock
    this.#cluster = cluster
    this.#topics = topics
    this.#joinPool = cluster.newPool(rebalanceTimeoutMs + cluster.options.requestTimeoutMs)
  }

  /** Looks which partitions there are, so that it is known which are made later. */
  static async connect(
    cluster: Cluster,
    topics: ClusterTopics,
    options: { readonly topics: readonly string[]; readonly rebalanceTimeoutMs: number },
  ): Promise<ClusterCoordinator> {
    const coordinator = new ClusterCoordinator(cluster, topics, options.rebalanceTimeoutMs)
    const counts = await coordinator.partitionCounts(options.topics)
    for (const [topic, count] of counts) coordinator.#firstCounts.set(topic, count)
    coordinator.#watch(new Set(options.topics))
    return coordinator
  }

  /** Partitions are told apart by their number, not by age: see `wasMadeAfter`. */
  get age(): number {
    return 0
  }

  wasMadeAfter(_age: number, { topic, partition }: TopicPartition): boolean {
    return partition >= (this.#firstCounts.get(topic) ?? 0)
  }

  async partitionCounts(topics: Iterable<string>): Promise<ReadonlyMap<string, number>> {
    const counts = await Promise.all(
      [...topics].map(async (name): Promise<[string, number]> => {
        try {
          return [name, (await this.#topics.topic(name)).partitions.length]
        } catch (error) {
          if (error instanceof TopicNotFoundError) return [name, 0]
          throw error
        }
      }),
    )
    return new Map(counts)
  }

  async join(group: string, request: JoinRequest): Promise<JoinResult> {
    this.#stopHeartbeat()
    this.#membership = null
    let { memberId } = request
    const answer = await this.#asking(group, 'joining', memberId, async () => {
      try {
        return await this.#join(group, { ...request, memberId })
      } catch (error) {
        if (!isRefused(error, kafkaCodes.memberIdRequired)) throw error
        // It is given one, and has to come with it: so that none is left behind.
        memberId = error.memberId
        this.#joiningId = memberId
        return this.#join(group, { ...request, memberId })
      }
    })
    this.#joiningId = ''
    const { generationId: generation, leader, protocolName, skipAssignment } = answer
    const own = answer.memberId ?? memberId
    const isLeader = leader === own
    const { groupInstanceId, local } = request
    const identity = { memberId: own, groupInstanceId, generation }
    const protocol = protocolName ?? ''
    this.#membership = { group, ...identity, protocol, isLeader, local }
    return {
      ...{ memberId: own, generation, protocol, leader, skipAssignment: skipAssignment ?? false },
      members: (isLeader ? answer.members : []).map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId ?? null,
        metadata: member.metadata ?? Buffer.alloc(0),
      })),
    }
  }

  async sync(group: string, request: SyncRequest): Promise<Buffer> {
    const { syncGroupV5 } = this.#cluster.client
    const { memberId, groupInstanceId, generation } = request
    const protocol = this.#membership?.protocol ?? null
    const assignments = [...request.assignments].map(([id, assignment]) => {
      return { memberId: id, assignment }
    })
    const { assignment } = await this.#asking(group, 'joining', request, () => {
      return this.#cluster.onCoordinator(
        'group',
        group,
        (connection) =>
          syncGroupV5.api.async(
            ...([connection, group, generation, memberId, groupInstanceId] as const),
            ...([protocolType, protocol, assignments] as const),
          ),
        this.#joinPool,
      )
    })
    this.#beat()
    return assignment
  }

  async leave(group: string, memberId: string): Promise<void> {
    this.#stopHeartbeat()
    this.#membership = null
    const { leaveGroupV5, leaveGroupV4 } = this.#cluster.client
    const api = this.#cluster.version('LeaveGroup', [leaveGroupV5.api, leaveGroupV4.api])
    const leaving = this.#cluster.retrying(
      `leaving of group '${group}'`,
      () =>
        this.#cluster.onCoordinator('group', group, (connection) =>
          api.async(connection, group, [{ memberId, groupInstanceId: null, reason: null }]),
        ),
      { timeoutMs: this.#cluster.options.connectTimeoutMs },
    )
    // Who cannot say that it leaves is missed when its session is over.
    await leaving.catch(() => undefined)
  }

  /** Ends a join that waits for other members. */
  async stop(group: string): Promise<void> {
    this.#stopping.abort()
    const memberId = this.#joiningId
    await this.#cluster.closePool(this.#joinPool)
    if (memberId !== '') await this.leave(group, memberId)
  }

  detach(): void {
    // It stays silent; its part is kept until its session is over.
    this.#stopHeartbeat()
    this.#membership = null
  }

  async commit(
    group: string,
    identity: MemberIdentity,
    offsets: readonly CommittedOffset[],
  ): Promise<void> {
    const { offsetCommitV9, offsetCommitV8 } = this.#cluster.client
    const api = this.#cluster.version('OffsetCommit', [offsetCommitV9.api, offsetCommitV8.api])
    const { memberId, groupInstanceId, generation } = identity
    const topics = offsetsByTopic(offsets)
    await this.#asking(group, 'committing', identity, () => {
      return this.#cluster.onCoordinator('group', group, (connection) =>
        api.async(connection, group, generation, memberId, groupInstanceId, topics),
      )
    })
  }

  checkCommit(): void {
    // The coordinator checks the transaction's own commit.
  }

  fetch(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyArray<CommittedOffset | null>> {
    return fetchOffsets(this.#cluster, group, partitions)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopHeartbeat()
    this.#unwatch?.()
    await this.#cluster.closePool(this.#joinPool)
  }

  async #join(group: string, request: JoinRequest): Promise<JoinGroupAnswer> {
    const { joinGroupV9, joinGroupV8, joinGroupV7 } = this.#cluster.client
    const versions = [joinGroupV9.api, joinGroupV8.api, joinGroupV7.api] as const
    const api = this.#cluster.version('JoinGroup', versions) as typeof joinGroupV9.api
    const { rebalanceTimeoutMs, sessionTimeoutMs, memberId, groupInstanceId } = request
    const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata }))
    return this.#cluster.onCoordinator(
      'group',
      group,
      async (connection) => {
        try {
          return await api.async(
            ...([connection, group, sessionTimeoutMs, rebalanceTimeoutMs, memberId] as const),
            ...([groupInstanceId, protocolType, protocols, null] as const),
          )
        } catch (error) {
          throw withMemberId(error)
        }
      },
      this.#joinPool,
    )
  }

  /** Says that the member lives, and hears what has become of its group. */
  #beat(): void {
    this.#stopHeartbeat()
    const membership = this.#membership
    if (membership === null || this.#isClosed) return
    this.#heartbeat = this.clock.setTimer(this.#cluster.options.heartbeatIntervalMs, () => {
      this.#sayAlive(membership).then(
        () => {
          if (this.#membership === membership) this.#beat()
        },
        (error: unknown) => this.#unheard(membership, error),
      )
    })
  }

  async #sayAlive(membership: Membership): Promise<void> {
    const { group, generation, memberId, groupInstanceId } = membership
    const { api } = this.#cluster.client.heartbeatV4
    await this.#cluster.onCoordinator('group', group, (connection) =>
      api.async(connection, group, generation, memberId, groupInstanceId),
    )
  }

  #unheard(membership: Membership, error: unknown): void {
    if (this.#membership !== membership || this.#isClosed) return
    const ours = groupErrorOf(error, membership.group, membership)
    if (ours instanceof RebalanceInProgressError) {
      // Until it has joined again it goes on saying that it lives.
      this.#beat()
      membership.local?.rebalance()
    } else if (isPassingFailure(error)) this.#beat()
    else membership.local?.removed(ours as Error)
  }

  #stopHeartbeat(): void {
    this.#heartbeat?.cancel()
    this.#heartbeat = null
  }

  /** Whoever divides the partitions has to see that there are more. */
  #watch(topics: ReadonlySet<string>): void {
    this.#unwatch = this.#topics.watch(({ name }) => {
      if (topics.has(name) && this.#membership?.isLeader === true) {
        this.#membership.local?.rebalance()
      }
    })
  }

  async #asking<Answer>(
    group: string,
    what: string,
    who: string | MemberIdentity,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    const member =
      typeof who === 'string' ? { memberId: who, groupInstanceId: null, generation: -1 } : who
    try {
      const options = what === 'joining' ? { signal: this.#stopping.signal } : {}
      return await this.#cluster.retrying(`${what} of group '${group}'`, ask, options)
    } catch (error) {
      throw groupErrorOf(error, group, member)
    }
  }
}

/** A new member's id is in the answer that refuses it. */
class MemberIdRequired extends ClusterRefusedError {
  readonly memberId: string

  constructor(memberId: string) {
    super(kafkaCodes.memberIdRequired, 'MEMBER_ID_REQUIRED', '')
    this.memberId = memberId
  }
}

function withMemberId(error: unknown): unknown {
  const { response } = error as { readonly response?: JoinGroupAnswer }
  const isGiven = response?.errorCode === kafkaCodes.memberIdRequired
  return isGiven ? new MemberIdRequired(response.memberId ?? '') : error
}

function isRefused(error: unknown, code: number): error is MemberIdRequired {
  return error instanceof MemberIdRequired && error.kafkaErrorCode === code
}
