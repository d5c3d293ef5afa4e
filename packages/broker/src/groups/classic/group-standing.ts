import type { Clock } from '@varve/log'
import type { Timestamp } from '@varve/record'
import { IllegalGenerationError, InconsistentGroupProtocolError } from '../group-errors.ts'
import type { GroupMetadata } from '../group-metadata.ts'
import type { GroupState, JoinResult, MemberIdentity, SyncRequest } from '../group-protocol.ts'
import type { GroupRoster } from './group-roster.ts'

type Noted = Omit<GroupMetadata, 'members'>

/** How a group stands, beside who is in it: its state, its generation, who leads, and by what. */
export class GroupStanding {
  readonly #group: string
  readonly #clock: Clock
  #state: GroupState = 'Empty'
  #since: Timestamp
  generation = 0
  protocolType = ''
  /** The assignor of this generation; null in an empty group. */
  protocol: string | null = null
  leader: string | null = null

  constructor(group: string, clock: Clock) {
    this.#group = group
    this.#clock = clock
    this.#since = clock.now()
  }

  /** What was noted of a group, as far as it concerns no member. */
  static restore(group: string, metadata: Noted, clock: Clock): GroupStanding {
    const standing = new GroupStanding(group, clock)
    standing.generation = metadata.generation
    standing.protocolType = metadata.protocolType
    if (metadata.currentStateTimestamp !== -1) standing.#since = metadata.currentStateTimestamp
    return standing
  }

  get state(): GroupState {
    return this.#state
  }

  /** When it came into its state. */
  get since(): Timestamp {
    return this.#since
  }

  enter(state: GroupState): void {
    this.#state = state
    this.#since = this.#clock.now()
  }

  /** Members that were noted are there again, as they were then. */
  goOn({ protocol, leader }: Noted): void {
    this.protocol = protocol
    this.leader = leader
    this.#state = 'Stable'
  }

  begin(leader: string, protocol: string): void {
    this.generation += 1
    this.leader = leader
    this.protocol = protocol
    this.enter('CompletingRebalance')
  }

  becomeEmpty(): void {
    this.generation += 1
    this.leader = null
    this.protocol = null
    this.enter('Empty')
  }

  /** Whether what was divided last holds, or is about to be told. */
  get isStable(): boolean {
    return this.#state === 'Stable'
  }

  /** Throws IllegalGenerationError for a member of another generation. */
  checkGeneration({ generation }: Pick<MemberIdentity, 'generation'>): void {
    if (generation === this.generation) return
    throw new IllegalGenerationError(this.#group, generation, this.generation)
  }

  /** Throws InconsistentGroupProtocolError for a member that believes the group to be another. */
  checkBelief({ protocolType, protocol }: SyncRequest): void {
    const believed = [protocolType ?? this.protocolType, protocol ?? this.protocol ?? '']
    const actual = [this.protocolType, this.protocol ?? '']
    if (believed.every((each, index) => each === actual[index])) return
    throw new InconsistentGroupProtocolError(this.#group, believed, actual)
  }

  /** As it is noted, with these members. */
  metadata(roster: GroupRoster): GroupMetadata {
    const { protocolType, generation, protocol, leader } = this
    const members = [...roster.all].map((member) => member.toMetadata(protocol ?? ''))
    const currentStateTimestamp = this.#since
    return { protocolType, generation, protocol, leader, currentStateTimestamp, members }
  }

  /** What a member is told of the generation; the leader also who else is in it. */
  resultFor(memberId: string, roster: GroupRoster): JoinResult {
    const protocol = this.protocol ?? ''
    const leader = this.leader ?? ''
    const all = memberId === leader ? [...roster.all] : []
    const members = all.map((each) => ({
      memberId: each.memberId,
      groupInstanceId: each.groupInstanceId,
      metadata: each.metadataFor(protocol),
    }))
    const { generation } = this
    return { memberId, generation, protocol, leader, members, skipAssignment: false }
  }
}
