import type { Clock } from '@varve/log'
import { type HandedOverGroup, metadataOf } from '../classic/handed-over-group.ts'
import type { GroupMetadata } from '../group-metadata.ts'
import type { JoinRequest, LocalMember } from '../group-protocol.ts'
import type { GroupTopics } from '../group-topics.ts'
import type { ClassicJoined } from './classic-members.ts'
import { tombstonesOf } from './consumer-group-departure.ts'
import type { ConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { type ConsumerGroupMember, isReconciledTo, sameNames } from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { downgraded } from './group-downgrade.ts'

/** The groups of the classic protocol, as far as they become others, or others become them. */
export interface ClassicSide {
  /** A group as it stands; null where there is none. */
  handedOver(group: string): HandedOverGroup | null
  /** Its members are to join again, and it does nothing by itself any more. */
  handOver(group: string): void
  /** It is one of the consumer protocol by now. */
  forget(group: string): void
  /** It is one of the classic protocol now, or still; its members divide anew at once, or not. */
  takeOver(group: string, handed: HandedOverGroup, rebalances: boolean): void
}

/** What a change of the protocol is made of. */
export interface ProtocolChangesHost {
  readonly clock: Clock
  readonly topics: GroupTopics
  readonly classic: ClassicSide
  /** Notes what a group of the consumer protocol is, and that it is none of the classic one. */
  noteUpgrade(group: string, records: readonly ConsumerGroupRecord[]): Promise<void>
  /** Notes what a group of the classic protocol is instead, all of it or nothing. */
  noteDowngrade(
    group: string,
    records: readonly ConsumerGroupRecord[],
    metadata: GroupMetadata,
  ): Promise<void>
  localOf(group: string, memberId: string): LocalMember | null
  /** Its timers are none any more, and its members somebody else's. */
  drop(group: string): void
  /** Whether nobody is to be led any more. */
  isClosed(): boolean
}

/**
 * Groups on their way from one protocol to the other. A change is one append to the log: until it
 * is durable the group is what it was before, and nobody is told anything else; what is asked of it
 * meanwhile waits. If it fails the group goes on as it was, and its members join again.
 */
export class ProtocolChanges {
  readonly #host: ProtocolChangesHost
  readonly #changing = new Set<string>()

  constructor(host: ProtocolChangesHost) {
    this.#host = host
  }

  isChanging(group: string): boolean {
    return this.#changing.has(group)
  }

  /** A group that was none, or a classic one, by what is noted of it from now on. */
  async upgrade(
    group: string,
    records: readonly ConsumerGroupRecord[],
    handed: HandedOverGroup | null,
  ): Promise<void> {
    const { classic } = this.#host
    this.#changing.add(group)
    classic.handOver(group)
    try {
      await this.#host.noteUpgrade(group, records)
      classic.forget(group)
    } catch (error) {
      if (handed !== null) this.#takeOver(group, handed, true)
      throw error
    } finally {
      this.#changing.delete(group)
    }
  }

  /** Its last members of the consumer protocol leave: the others divide what these had. */
  async downgrade(
    group: string,
    state: ConsumerGroupState,
    leaving: readonly ConsumerGroupMember[],
  ): Promise<void> {
    await this.#downgrade(group, state, this.#downgraded(group, state, leaving, null), true)
  }

  /**
   * A static member of the classic protocol takes the place of the last one of the consumer
   * protocol: without a rebalance where all have what they are to have.
   */
  async replaceLast(
    group: string,
    state: ConsumerGroupState,
    replaced: ConsumerGroupMember,
    request: JoinRequest,
    said: ConsumerGroupHeartbeat,
  ): Promise<ClassicJoined> {
    const { memberId, rackId, rebalanceTimeoutMs, clientId, clientHost, classic = null } = said
    const topicNames = [...new Set(said.topicNames ?? [])].sort()
    const joining = {
      ...{ ...replaced, memberId, rackId, clientId, clientHost, classic, topicNames },
      ...{ topicRegex: '', rebalanceTimeoutMs: rebalanceTimeoutMs ?? replaced.rebalanceTimeoutMs },
    }
    const one = this.#downgraded(group, state, [replaced], joining)
    const handed = {
      ...one,
      members: one.members.map((each) => {
        return each.memberId === memberId ? { ...each, local: request.local } : each
      }),
    }
    const rebalances = !isAtRest(state, replaced) || !readsTheSame(replaced, topicNames)
    await this.#downgrade(group, state, handed, rebalances)
    if (rebalances) return { joined: null, request: { ...request, memberId } }
    const { generation, protocol } = handed
    const told = { leader: '', members: [], skipAssignment: false }
    return { joined: { memberId, generation, protocol: protocol ?? '', ...told } }
  }

  #downgraded(
    group: string,
    state: ConsumerGroupState,
    leaving: readonly ConsumerGroupMember[],
    joining: ConsumerGroupMember | null,
  ): HandedOverGroup {
    const { clock, topics } = this.#host
    const localOf = (memberId: string): LocalMember | null => this.#host.localOf(group, memberId)
    return downgraded(state, { leaving, joining, nowMs: clock.now(), topics, localOf })
  }

  async #downgrade(
    group: string,
    state: ConsumerGroupState,
    handed: HandedOverGroup,
    rebalances: boolean,
  ): Promise<void> {
    this.#changing.add(group)
    try {
      await this.#host.noteDowngrade(group, tombstonesOf(state, group), metadataOf(handed))
      this.#host.drop(group)
      this.#takeOver(group, handed, rebalances)
    } finally {
      this.#changing.delete(group)
    }
  }

  #takeOver(group: string, handed: HandedOverGroup, rebalances: boolean): void {
    if (!this.#host.isClosed()) this.#host.classic.takeOver(group, handed, rebalances)
  }
}

/** Whether all but one have what they are to have. */
function isAtRest(state: ConsumerGroupState, one: ConsumerGroupMember): boolean {
  if (state.targetEpoch < state.epoch) return false
  for (const member of state.members.values()) {
    if (member.memberId !== one.memberId && !isReconciledTo(member, state.targetEpoch)) return false
  }
  return true
}

function readsTheSame(replaced: ConsumerGroupMember, topicNames: readonly string[]): boolean {
  return replaced.topicRegex === '' && sameNames(replaced.topicNames, topicNames)
}
