import type { Clock, Timer } from '@varve/log'
import type { Timestamp } from '@varve/record'
import {
  FencedInstanceError,
  GroupNotEmptyError,
  IllegalGenerationError,
  InconsistentGroupProtocolError,
  RebalanceInProgressError,
  UnknownMemberError,
} from './group-errors.ts'
import type { GroupMetadata } from './group-metadata.ts'
import type {
  GroupState,
  JoinRequest,
  JoinResult,
  MemberIdentity,
  SyncRequest,
} from './group-protocol.ts'
import { localHost, MemberState } from './member-state.ts'
import { chooseProtocol, commonProtocols } from './protocol-choice.ts'

/** What a group needs of the world. */
export interface GroupContext {
  readonly clock: Clock
  /** How long the first rebalance of an empty group waits for more members. */
  readonly initialRebalanceDelayMs: number
  /** A name for a new member, never given before. */
  newMemberId(clientId: string): string
  /** Notes the group durably. */
  save(metadata: GroupMetadata): Promise<void>
  /** Told what could not be noted; the group goes on without. */
  failed(error: unknown): void
}

/**
 * The members of one group and which of them has what: Kafka's classic group protocol.
 *
 *     Empty ─ join ─▶ PreparingRebalance ─ all have joined, or time is up ─▶ CompletingRebalance
 *       ▲                ▲    │                                                  │ the leader's
 *       │                │    │ nobody has joined                                │ assignment
 *       └────────────────┼────┘                                                  ▼ is noted
 *                        └────────── a join, a leave, an expiry ───────────── Stable
 *
 * A generation is one passage to CompletingRebalance: within it, each member gets its part once,
 * and commits of members that are not in it are refused. Everything here is synchronous but the
 * noting of an assignment, so that no member sees a state between two.
 */
export class Group {
  readonly name: string
  readonly #context: GroupContext
  readonly #members = new Map<string, MemberState>()
  /** Member ids of static members, by instance id. */
  readonly #instances = new Map<string, string>()
  #state: GroupState = 'Empty'
  #generation = 0
  #protocolType = ''
  #protocol: string | null = null
  #leader: string | null = null
  #since: Timestamp
  #timer: Timer | null = null
  /** The first members of an empty group wait for more. */
  #isDelayed = false

  constructor(name: string, context: GroupContext) {
    this.name = name
    this.#context = context
    this.#since = context.clock.now()
  }

  /**
   * A group as it was noted last. Members of a process that has ended are gone; others have a
   * session's time to be heard of again.
   */
  static restore(name: string, metadata: GroupMetadata, context: GroupContext): Group {
    const group = new Group(name, context)
    group.#generation = metadata.generation
    group.#protocolType = metadata.protocolType
    if (metadata.currentStateTimestamp !== -1) group.#since = metadata.currentStateTimestamp
    const remote = metadata.members.filter(({ clientHost }) => clientHost !== localHost)
    // Its members have been there until now: from now on it is empty.
    if (remote.length < metadata.members.length) group.#since = context.clock.now()
    for (const each of remote) {
      group.#admit(MemberState.restore(each, metadata.protocol ?? '', context.clock))
    }
    if (remote.length === 0) return group
    group.#protocol = metadata.protocol
    group.#leader = metadata.leader
    group.#state = 'Stable'
    for (const member of group.#members.values()) group.#heard(member)
    if (remote.length < metadata.members.length) group.#prepareRebalance()
    return group
  }

  get state(): GroupState {
    return this.#state
  }

  get generation(): number {
    return this.#generation
  }

  /** When it came into this state. */
  get since(): Timestamp {
    return this.#since
  }

  get size(): number {
    return this.#members.size
  }

  get metadata(): GroupMetadata {
    const protocol = this.#protocol
    return {
      protocolType: this.#protocolType,
      generation: this.#generation,
      protocol,
      leader: this.#leader,
      currentStateTimestamp: this.#since,
      members: [...this.#members.values()].map((member) => member.toMetadata(protocol ?? '')),
    }
  }

  /**
   * Joins, or joins again; resolves when the rebalance that this is part of goes on. Rejects with
   * UnknownMemberError, FencedInstanceError, InconsistentGroupProtocolError.
   */
  async join(request: JoinRequest): Promise<JoinResult> {
    if (this.#state === 'Dead') throw new UnknownMemberError(this.name, request.memberId)
    this.#checkProtocols(request)
    if (request.memberId !== '') return this.#joinAgain(request)
    const { groupInstanceId } = request
    const oldId = groupInstanceId === null ? undefined : this.#instances.get(groupInstanceId)
    const old = oldId === undefined ? undefined : this.#members.get(oldId)
    if (old !== undefined) return this.#replaceStatic(old, request)
    const memberId = this.#context.newMemberId(request.clientId)
    const member = new MemberState(memberId, request, this.#context.clock)
    this.#protocolType = request.protocolType
    this.#admit(member)
    return this.#park(member)
  }

  /**
   * Resolves with the member's assignment when the leader has given one and it is noted. Rejects
   * with RebalanceInProgressError when another rebalance begins before, and as `heartbeat` does.
   */
  async sync(request: SyncRequest): Promise<Buffer> {
    const member = this.#check(request)
    this.#heard(member)
    if (this.#state === 'PreparingRebalance') throw new RebalanceInProgressError(this.name)
    if (this.#state === 'Stable') return member.assignment
    const assigned = member.sync(() => new RebalanceInProgressError(this.name))
    if (member.memberId === this.#leader) void this.#assign(request.assignments)
    return assigned
  }

  /**
   * Says that a member is alive. Throws RebalanceInProgressError when it has to join again,
   * UnknownMemberError, IllegalGenerationError or FencedInstanceError when it is out.
   */
  heartbeat(identity: MemberIdentity): void {
    const member = this.#check(identity)
    this.#heard(member)
    if (this.#state === 'PreparingRebalance') throw new RebalanceInProgressError(this.name)
  }

  /** Takes a member out; those that stay divide what it had. */
  leave(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) throw new UnknownMemberError(this.name, memberId)
    this.#remove(member, new UnknownMemberError(this.name, memberId))
  }

  /** A static member has stopped: it keeps its part for its session's time, then it is out. */
  detach(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined || member.groupInstanceId === null) return
    member.local = null
    member.end(new UnknownMemberError(this.name, memberId))
    this.#heard(member)
  }

  /**
   * Whether offsets may be committed now by whoever this is. Throws what a heartbeat would throw;
   * who is no member may commit only while nobody is one.
   */
  checkCommit(identity: MemberIdentity): void {
    if (this.#state === 'Empty' && identity.generation < 0) return
    const member = this.#check(identity)
    this.#heard(member)
    // Who commits now would commit for a generation whose assignment nobody knows yet.
    if (this.#state === 'CompletingRebalance') throw new RebalanceInProgressError(this.name)
  }

  /** Has everybody join again, because what they read has other partitions now. */
  rebalance(): void {
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.#prepareRebalance()
  }

  /** The group is no more. Throws GroupNotEmptyError while it has members. */
  die(): void {
    if (this.#members.size > 0) throw new GroupNotEmptyError(this.name, this.#members.size)
    this.#enter('Dead')
    this.#timer?.cancel()
  }

  /** Ends timers and whatever members wait for; nothing is noted. */
  close(error: Error): void {
    this.#timer?.cancel()
    for (const member of this.#members.values()) member.end(error)
  }

  #checkProtocols({ memberId, protocolType, protocols }: JoinRequest): void {
    const others = [...this.#members.values()].filter((member) => member.memberId !== memberId)
    const offered = protocols.map(({ name }) => name)
    const accepted = commonProtocols(others)
    const isOfType = others.length === 0 || protocolType === this.#protocolType
    const hasCommon = accepted === null || offered.some((name) => accepted.includes(name))
    if (protocols.length > 0 && isOfType && hasCommon) return
    throw new InconsistentGroupProtocolError(this.name, offered, accepted ?? [this.#protocolType])
  }

  #joinAgain(request: JoinRequest): Promise<JoinResult> | JoinResult {
    const member = this.#checkMember(request)
    const isSame = member.offersTheSameAs(request)
    const isLeader = member.memberId === this.#leader
    const isSettled =
      this.#state === 'CompletingRebalance' || (this.#state === 'Stable' && !isLeader)
    member.update(request)
    if (!isSettled || !isSame) return this.#park(member)
    this.#heard(member)
    return this.#resultFor(member)
  }

  /** A static member is back under a new id: without a rebalance where nothing else changes. */
  #replaceStatic(old: MemberState, request: JoinRequest): Promise<JoinResult> | JoinResult {
    const oldId = old.memberId
    const fenced = new FencedInstanceError(this.name, request.groupInstanceId ?? '')
    const wasLeader = this.#leader === oldId
    const isSame = old.offersTheSameAs(request)
    old.end(fenced)
    old.local?.removed(fenced)
    this.#members.delete(oldId)
    old.memberId = this.#context.newMemberId(request.clientId)
    old.update(request)
    this.#admit(old)
    if (wasLeader) this.#leader = old.memberId
    if (this.#state !== 'Stable' || !isSame) return this.#park(old)
    this.#heard(old)
    this.#save()
    // Even as the leader it has nothing to divide: the assignment stands.
    return { ...this.#resultFor(old), members: [] }
  }

  #admit(member: MemberState): void {
    this.#members.set(member.memberId, member)
    if (member.groupInstanceId !== null) {
      this.#instances.set(member.groupInstanceId, member.memberId)
    }
  }

  #park(member: MemberState): Promise<JoinResult> {
    const joined = member.join(() => new RebalanceInProgressError(this.name))
    if (this.#state === 'PreparingRebalance') this.#maybeComplete()
    else this.#prepareRebalance()
    return joined
  }

  #prepareRebalance(): void {
    for (const { syncing } of this.#members.values()) {
      syncing?.reject(new RebalanceInProgressError(this.name))
    }
    const { initialRebalanceDelayMs } = this.#context
    this.#isDelayed = this.#state === 'Empty' && initialRebalanceDelayMs > 0
    this.#enter('PreparingRebalance')
    this.#setTimer(this.#isDelayed ? initialRebalanceDelayMs : this.#rebalanceTimeoutMs, () => {
      this.#isDelayed = false
      this.#completeJoin()
    })
    for (const member of this.#members.values()) {
      member.syncing = null
      if (member.joining === null) member.local?.rebalance()
    }
    this.#maybeComplete()
  }

  #maybeComplete(): void {
    if (this.#state !== 'PreparingRebalance' || this.#isDelayed) return
    for (const { joining } of this.#members.values()) if (joining === null) return
    this.#completeJoin()
  }

  /** Goes on with those who have joined. Others are out, unless they are static. */
  #completeJoin(): void {
    for (const member of [...this.#members.values()]) {
      if (member.joining === null && member.groupInstanceId === null) {
        this.#forget(member, new UnknownMemberError(this.name, member.memberId))
      }
    }
    const joined = [...this.#members.values()].filter(({ joining }) => joining !== null)
    const leader = joined.find(({ memberId }) => memberId === this.#leader) ?? joined[0]
    if (leader === undefined) {
      // Static members that do not come back run out by their sessions.
      if (this.#members.size === 0) this.#becomeEmpty()
      else this.#setTimer(this.#rebalanceTimeoutMs, () => this.#completeJoin())
      return
    }
    this.#generation += 1
    this.#leader = leader.memberId
    this.#protocol = chooseProtocol([...this.#members.values()])
    this.#enter('CompletingRebalance')
    this.#setTimer(this.#rebalanceTimeoutMs, () => this.#expireUnsynced())
    for (const member of joined) {
      const { joining } = member
      member.joining = null
      this.#heard(member)
      joining?.resolve(this.#resultFor(member))
    }
  }

  #becomeEmpty(): void {
    this.#timer?.cancel()
    this.#generation += 1
    this.#leader = null
    this.#protocol = null
    this.#enter('Empty')
    this.#save()
  }

  async #assign(assignments: ReadonlyMap<string, Buffer>): Promise<void> {
    const generation = this.#generation
    for (const member of this.#members.values()) {
      member.assignment = assignments.get(member.memberId) ?? Buffer.alloc(0)
    }
    let failure: Error | null = null
    try {
      await this.#context.save({
        ...this.metadata,
        currentStateTimestamp: this.#context.clock.now(),
      })
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
    }
    if (this.#state !== 'CompletingRebalance' || this.#generation !== generation) return
    if (failure === null) {
      this.#timer?.cancel()
      this.#enter('Stable')
    }
    for (const member of this.#members.values()) {
      const { syncing } = member
      member.syncing = null
      if (failure === null) syncing?.resolve(member.assignment)
      else syncing?.reject(failure)
    }
    if (failure !== null) this.#prepareRebalance()
  }

  /** Who has joined but does not ask for its part is not there any more. */
  #expireUnsynced(): void {
    if (this.#state !== 'CompletingRebalance') return
    for (const member of [...this.#members.values()]) {
      if (member.syncing === null && member.groupInstanceId === null) {
        this.#forget(member, new UnknownMemberError(this.name, member.memberId))
      }
    }
    this.#prepareRebalance()
  }

  #remove(member: MemberState, error: Error): void {
    this.#forget(member, error)
    if (this.#state === 'PreparingRebalance') {
      if (this.#members.size > 0) this.#maybeComplete()
      else this.#completeJoin()
    } else this.#prepareRebalance()
  }

  #forget(member: MemberState, error: Error): void {
    const { memberId, groupInstanceId } = member
    this.#members.delete(memberId)
    if (groupInstanceId !== null && this.#instances.get(groupInstanceId) === memberId) {
      this.#instances.delete(groupInstanceId)
    }
    member.end(error)
    member.local?.removed(error)
  }

  #heard(member: MemberState): void {
    const { memberId } = member
    member.heard(() => {
      // A member that waits for the others has nothing to say meanwhile.
      if (this.#members.get(memberId) !== member || member.joining !== null) return
      this.#remove(member, new UnknownMemberError(this.name, memberId))
    })
  }

  #check(identity: MemberIdentity): MemberState {
    const member = this.#checkMember(identity)
    if (identity.generation === this.#generation) return member
    throw new IllegalGenerationError(this.name, identity.generation, this.#generation)
  }

  #checkMember(who: Pick<MemberIdentity, 'memberId' | 'groupInstanceId'>): MemberState {
    const { memberId, groupInstanceId } = who
    if (groupInstanceId !== null) {
      const current = this.#instances.get(groupInstanceId)
      if (current !== undefined && current !== memberId) {
        throw new FencedInstanceError(this.name, groupInstanceId)
      }
    }
    const member = this.#members.get(memberId)
    if (member === undefined) throw new UnknownMemberError(this.name, memberId)
    return member
  }

  #resultFor(member: MemberState): JoinResult {
    const { memberId } = member
    const protocol = this.#protocol ?? ''
    const leader = this.#leader ?? ''
    const all = [...this.#members.values()].map((each) => ({
      memberId: each.memberId,
      groupInstanceId: each.groupInstanceId,
      metadata: each.metadataFor(protocol),
    }))
    const members = memberId === leader ? all : []
    return { memberId, generation: this.#generation, protocol, leader, members }
  }

  get #rebalanceTimeoutMs(): number {
    return Math.max(0, ...[...this.#members.values()].map((member) => member.rebalanceTimeoutMs))
  }

  #enter(state: GroupState): void {
    this.#state = state
    this.#since = this.#context.clock.now()
  }

  #setTimer(delayMs: number, callback: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#context.clock.setTimer(delayMs, callback)
  }

  #save(): void {
    this.#context.save(this.metadata).catch((error: unknown) => this.#context.failed(error))
  }
}
