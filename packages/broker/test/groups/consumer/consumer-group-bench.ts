import { systemClock } from '@varve/log'
import type { TopicIdPartitions } from '../../../src/groups/consumer/assigned-partitions.ts'
import { fencing, staticLeave } from '../../../src/groups/consumer/consumer-group-departure.ts'
import {
  expressionRecords,
  lookUp,
} from '../../../src/groups/consumer/consumer-group-expressions.ts'
import {
  type ConsumerGroupAnswer,
  type ConsumerGroupHeartbeat,
  type ConsumerGroupSettings,
  heartbeatOutcome,
} from '../../../src/groups/consumer/consumer-group-heartbeat.ts'
import type { ConsumerGroupRecord } from '../../../src/groups/consumer/consumer-group-record.ts'
import { ConsumerGroupState } from '../../../src/groups/consumer/consumer-group-state.ts'
import type { GroupTopic, GroupTopics } from '../../../src/groups/group-topics.ts'

/** Ids of topics as the wire has them, told apart by a number. */
export function topicIdOf(number: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeInt32BE(number, 12)
  return bytes.toString('base64url')
}

/** Topics that a test makes and deletes. */
export class BenchTopics implements GroupTopics {
  readonly #topics = new Map<string, GroupTopic>()
  #made = 0

  set(name: string, partitionCount: number): void {
    const topicId = this.#topics.get(name)?.topicId ?? topicIdOf(++this.#made)
    this.#topics.set(name, { topicId, partitionCount })
  }

  delete(name: string): void {
    this.#topics.delete(name)
  }

  find(name: string): GroupTopic | null {
    return this.#topics.get(name) ?? null
  }

  names(): Iterable<string> {
    return this.#topics.keys()
  }
}

export const benchSettings: ConsumerGroupSettings = {
  ...{ sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000 },
  ...{ assignmentIntervalMs: 0, membersMax: 100 },
  ...{ migrationPolicy: 'bidirectional', classicMembersMax: 100 },
}

/** Beside no groups of the classic protocol. */
export const withoutClassic = {
  newId: () => 'id',
  settingsOf: () => benchSettings,
  noteDowngrade: () => Promise.reject(new Error('there is no classic protocol here')),
  classic: {
    handedOver: () => null,
    ...{ handOver: () => undefined, forget: () => undefined, takeOver: () => undefined },
  },
}

/** A heartbeat that says nothing but who it is of. */
export function beatOf(
  memberId: string,
  memberEpoch: number,
  said: Partial<ConsumerGroupHeartbeat> = {},
): ConsumerGroupHeartbeat {
  return {
    ...{ group: 'g', memberId, memberEpoch, instanceId: null, rackId: null },
    ...{ rebalanceTimeoutMs: null, topicNames: null, topicRegex: null, serverAssignor: null },
    ...{ owned: null, clientId: 'c', clientHost: '/127.0.0.1' },
    ...said,
  }
}

/** The first request of who joins. */
export function joinOf(
  memberId: string,
  said: Partial<ConsumerGroupHeartbeat> = {},
): ConsumerGroupHeartbeat {
  const topicNames = said.topicRegex === undefined ? ['t'] : null
  return beatOf(memberId, 0, { rebalanceTimeoutMs: 60_000, topicNames, owned: [], ...said })
}

/** A group by itself: no log, no timers, no wire. */
export class ConsumerGroupBench {
  readonly state = new ConsumerGroupState()
  readonly topics = new BenchTopics()
  readonly records: ConsumerGroupRecord[] = []
  settings = benchSettings
  nowMs = 1_000_000

  beat(request: ConsumerGroupHeartbeat): ConsumerGroupAnswer {
    const { settings, topics, nowMs } = this
    const world = { nowMs, topics, settings, haveTopicsChanged: true }
    const { records, answer } = heartbeatOutcome(this.state, request, world)
    this.note(records)
    return answer
  }

  note(records: readonly ConsumerGroupRecord[]): void {
    for (const record of records) this.state.apply(record)
    this.records.push(...records)
  }

  fence(memberId: string): void {
    const member = this.state.members.get(memberId)
    if (member !== undefined) this.note(fencing(this.state, 'g', [member], this.topics))
  }

  detach(memberId: string): void {
    const member = this.state.members.get(memberId)
    if (member !== undefined) this.note(staticLeave('g', member))
  }

  /** Looks up all expressions, of topics that all may see. */
  async lookUp(): Promise<void> {
    const expressions = new Set([...this.state.members.values()].map((each) => each.topicRegex))
    expressions.delete('')
    const known = { topics: this.topics, version: this.nowMs, nowMs: this.nowMs }
    const found = await lookUp(expressions, known, () => true, systemClock)
    this.note(expressionRecords(this.state, 'g', found, known))
  }
}

/** As a client: what it was told, and gives up when it is told so. */
export class BenchMember {
  readonly #bench: ConsumerGroupBench
  readonly memberId: string
  readonly #said: Partial<ConsumerGroupHeartbeat>
  epoch = 0
  owned: readonly TopicIdPartitions[] = []

  constructor(
    bench: ConsumerGroupBench,
    memberId: string,
    said: Partial<ConsumerGroupHeartbeat> = {},
  ) {
    this.#bench = bench
    this.memberId = memberId
    this.#said = said
  }

  get keys(): string[] {
    return this.owned
      .flatMap(({ topicId, partitions }) => partitions.map((each) => `${topicId}:${each}`))
      .sort()
  }

  beat(said: Partial<ConsumerGroupHeartbeat> = {}): ConsumerGroupAnswer {
    const { memberId, epoch, owned } = this
    const { instanceId = null } = this.#said
    const request =
      epoch === 0
        ? joinOf(memberId, { ...this.#said, ...said })
        : beatOf(memberId, epoch, { instanceId, owned, ...said })
    const answer = this.#bench.beat(request)
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) this.owned = answer.assignment
    return answer
  }
}
