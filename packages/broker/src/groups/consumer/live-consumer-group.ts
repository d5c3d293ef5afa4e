import type { Clock } from '@varve/log'
import { FencedInstanceError, UnknownMemberError } from '../group-errors.ts'
import type { GroupMemory, Holder } from '../group-memory.ts'
import type { LocalMember } from '../group-protocol.ts'
import type { ClassicMembership, ConsumerGroupMember } from './consumer-group-member.ts'
import { ConsumerGroupSessions } from './consumer-group-sessions.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'

/** What a member takes of memory whatever it says, and a name beside its characters. */
const memberBytes = 512
const nameBytes = 40

interface LocalPlace {
  readonly local: LocalMember
  readonly instanceId: string | null
}

/** What a group of the consumer protocol is beside its records: timers, and what it takes. */
export class LiveConsumerGroup {
  readonly sessions: ConsumerGroupSessions
  /** Of topics, when they were looked at last. */
  seenChange = 0
  isLookingUp = false
  lookUpNotBeforeMs = 0
  readonly #group: string
  readonly #memory: GroupMemory
  readonly #sizes = new Map<string, Holder>()
  /** Members of this process. */
  readonly #locals = new Map<string, LocalPlace>()

  constructor(group: string, clock: Clock, memory: GroupMemory) {
    this.#group = group
    this.#memory = memory
    this.sessions = new ConsumerGroupSessions(clock)
  }

  /** What was held for a member; 0 for nobody. */
  heldBytes(memberId: string): number {
    return this.#sizes.get(memberId)?.sizeBytes ?? 0
  }

  get locals(): Iterable<readonly [memberId: string, local: LocalMember]> {
    return [...this.#locals].map(([memberId, { local }]) => [memberId, local] as const)
  }

  localOf(memberId: string): LocalMember | null {
    return this.#locals.get(memberId)?.local ?? null
  }

  /** Takes note of who a member of this process is; null for one that is not, or not any more. */
  place(memberId: string, instanceId: string | null, local: LocalMember | null): void {
    if (local === null) {
      this.#locals.delete(memberId)
      return
    }
    this.#locals.set(memberId, { local, instanceId })
    this.sessions.unheard(memberId)
  }

  /** Takes note of what has become of a member: what it takes, or that it is none any more. */
  measure(memberId: string, state: ConsumerGroupState | null): void {
    this.#letGo(memberId)
    const member = state?.members.get(memberId)
    if (state === null || member === undefined) {
      this.sessions.end(memberId)
      this.#remove(memberId, state)
      return
    }
    const found = state.expressions.get(member.topicRegex)?.topics ?? []
    const held = { sizeBytes: sizeOf(member) + lengthOf(found) }
    this.#memory.hold(held)
    this.#sizes.set(memberId, held)
  }

  /** Ends timers; its members are somebody else's from now on. */
  handOver(): void {
    this.sessions.close()
    this.#locals.clear()
    for (const memberId of [...this.#sizes.keys()]) this.#letGo(memberId)
  }

  #letGo(memberId: string): void {
    const before = this.#sizes.get(memberId)
    if (before !== undefined) this.#memory.letGo(before)
    this.#sizes.delete(memberId)
  }

  #remove(memberId: string, state: ConsumerGroupState | null): void {
    const place = this.#locals.get(memberId)
    if (place === undefined) return
    this.#locals.delete(memberId)
    const { instanceId, local } = place
    const isReplaced = instanceId !== null && state?.instance(instanceId) !== undefined
    const error = isReplaced
      ? new FencedInstanceError(this.#group, instanceId)
      : new UnknownMemberError(this.#group, memberId)
    local.removed(error)
  }
}

type Said = Pick<
  ConsumerGroupMember,
  'memberId' | 'instanceId' | 'rackId' | 'clientId' | 'topicNames' | 'topicRegex'
> & { readonly classic?: Pick<ClassicMembership, 'protocols'> | null }

/** What it takes of memory, about, what a member says of itself. */
export function sizeOf(said: Said): number {
  const { memberId, instanceId, rackId, clientId, topicNames, topicRegex, classic } = said
  const own = [memberId, instanceId ?? '', rackId ?? '', clientId, topicRegex]
  const offered = (classic?.protocols ?? []).reduce((sum, { name, metadata }) => {
    return sum + nameBytes + name.length + metadata.length
  }, 0)
  return memberBytes + lengthOf(own) + lengthOf(topicNames) + offered
}

function lengthOf(names: readonly string[]): number {
  return names.reduce((sum, { length }) => sum + nameBytes + length, 0)
}
