import type { Timer } from '@varve/log'
import type { Timestamp } from '@varve/record'
import { readsTheSameTopics } from '../consumer-protocol.ts'
import {
  FencedInstanceError,
  type GroupError,
  GroupNotEmptyError,
  MemberIdRequiredError,
  RebalanceInProgressError,
  UnknownMemberError,
} from '../group-errors.ts'
import type { GroupMetadata } from '../group-metadata.ts'
import type {
  GroupState,
  JoinRequest,
  JoinResult,
  MemberIdentity,
  MemberName,
  SyncRequest,
} from '../group-protocol.ts'
import type { Deferred } from './deferred.ts'
import type { GroupContext } from './group-context.ts'
import { GroupRoster } from './group-roster.ts'
import { GroupStanding } from './group-standing.ts'
import type { HandedOverGroup } from './handed-over-group.ts'
import { InitialDelay } from './initial-delay.ts'
import { MemberState } from './member-state.ts'

/** How long a new member waits for its first rebalance; then its client, if any, comes again. */
const newMemberJoinMs = 5 * 60_000

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
 * and commits of members that are not in it are refused. Everything here is synchronous but what
 * is noted before it is told, so that no member sees a state between two.
 */
export class Group {
  readonly name: string
  readonly #context: GroupContext
  readonly #roster: GroupRoster
  readonly #standing: GroupStanding
  #timer: Timer | null = null
  /** The first members of an empty group wait for more. */
  #delay: InitialDelay | null = null

  constructor(
    name: string,
    context: GroupContext,
    standing: GroupStanding = new GroupStanding(name, context.clock),
  ) {
    this.name = name
    this.#context = context
    this.#roster = new GroupRoster(name, context.memory)
    this.#standing = standing
  }

  /** A group with members that it has from elsewhere. */
  static takeOver(name: string, handed: HandedOverGroup, context: GroupContext): Group {
    const { clock } = context
    const standing = GroupStanding.restore(name, handed, clock)
    const group = new Group(name, context, standing)
    for (const each of handed.members) group.#roster.admit(MemberState.takeOver(each, clock))
    if (handed.members.length > 0) standing.goOn(handed)
    for (const member of group.#roster.all) group.#heard(member)
    return group
  }

  get state(): GroupState {
    return this.#standing.state
  }

  get protocolType(): string {
    return this.#standing.protocolType
  }

  get generation(): number {
    return this.#standing.generation
  }

  /** When it came into this state. */
  get since(): Timestamp {
    return this.#standing.since
  }

  get size(): number {
    return this.#roster.size
  }

  /** Whether nobody has ever come so far as to be a member, or is about to. */
  get isUnused(): boolean {
    return this.state === 'Empty' && this.generation === 0 && this.#roster.isEmpty
  }

  /** Whether the leader is in this process, or nobody is: others see new partitions themselves. */
  get isLedHere(): boolean {
    const { leader } = this.#standing
    return leader === null || (this.#roster.member(leader)?.local ?? null) !== null
  }

  get metadata(): GroupMetadata {
    return this.#standing.metadata(this.#roster)
  }

  /**
   * Joins, or joins again; resolves when the rebalance that this is part of goes on. Rejects with
   * UnknownMemberError, FencedInstanceError, InconsistentGroupProtocolError, GroupFullError, and
   * with MemberIdRequiredError where who is new is to come again with the id that it is given.
   */
  async join(request: JoinRequest): Promise<JoinResult> {
    const { memberId, groupInstanceId, clientId } = request
    if (this.state === 'Dead') throw new UnknownMemberError(this.name, memberId)
    this.#roster.checkSize(request, this.#context.membersMax())
    this.#roster.checkProtocols(request, this.#standing.protocolType)
    if (this.#roster.isExpected(request)) return this.#joinNew(memberId, request)
    if (memberId !== '') return this.#joinAgain(request)
    const newId = this.#context.newMemberId(groupInstanceId ?? clientId)
    if (groupInstanceId !== null) {
      const old = this.#roster.instance(groupInstanceId)
      return old === undefined ? this.#joinNew(newId, request) : this.#replace(old, newId, request)
    }
    if (request.needsKnownId !== true) return this.#joinNew(newId, request)
    const { clock } = this.#context
    this.#roster.expect(newId, clock, request.sessionTimeoutMs, () => this.#unexpected())
    throw new MemberIdRequiredError(this.name, newId)
  }

  /**
   * Resolves with the member's assignment when the leader has given one and it is noted. Rejects
   * with RebalanceInProgressError when another rebalance begins before, with
   * InconsistentGroupProtocolError, and as `heartbeat` does.
   */
  async sync(request: SyncRequest): Promise<Buffer> {
    const member = this.#check(request)
    this.#standing.checkBelief(request)
    this.#heard(member)
    if (this.state === 'PreparingRebalance') throw new RebalanceInProgressError(this.name)
    this.#roster.checkAssignments(request.assignments)
    member.awaitsSync = false
    if (this.state === 'Stable') {
      if (this.#roster.haveAllSynced) this.#timer?.cancel()
      return member.assignment
    }
    const assigned = member.sync(() => new RebalanceInProgressError(this.name))
    if (member.memberId === this.#standing.leader) void this.#assign(request.assignments)
    return assigned
  }

  /**
   * Says that a member is alive. Throws RebalanceInProgressError when it has to join again,
   * UnknownMemberError, IllegalGenerationError or FencedInstanceError when it is out.
   */
  heartbeat(identity: MemberIdentity): void {
    const member = this.#check(identity)
    this.#heard(member)
    if (this.state === 'PreparingRebalance') throw new RebalanceInProgressError(this.name)
  }

  /**
   * Takes members out, static ones by their names where they are not given by id; those that stay
   * divide what these had. Returns of each why it could not: UnknownMemberError,
   * FencedInstanceError.
   */
  leave(who: readonly MemberName[]): (GroupError | null)[] {
    const before = this.#roster.size
    const results = who.map((each) => {
      if (this.#roster.forgetExpected(each.memberId)) return null
      const found = this.#roster.find(each)
      if (found instanceof MemberState) this.#putOut(found.memberId)
      return found instanceof MemberState ? null : found
    })
    if (this.#roster.size < before) this.#missing()
    else if (results.includes(null)) this.#unexpected()
    return results
  }

  /** A static member has stopped: it keeps its part for its session's time, then it is out. */
  detach(memberId: string): void {
    const member = this.#roster.member(memberId)
    if (member === undefined || member.groupInstanceId === null) return
    member.local = null
    member.end(new UnknownMemberError(this.name, memberId))
    this.#heard(member)
  }

  /**
   * Whether offsets may be committed now by whoever this is. Throws what a heartbeat would throw;
   * who is no member may commit only while nobody is one.
   *
   * @param isTransactional whether a transaction brings them: they are for the time of its end,
   *   whatever the group does now, and clients before KIP-447 do not say who they are
   */
  checkCommit(identity: MemberIdentity, isTransactional: boolean = false): void {
    const { memberId, groupInstanceId, generation } = identity
    if (this.state === 'Empty' && generation < 0) return
    const isNamed = generation >= 0 || memberId !== '' || groupInstanceId !== null
    if (!isNamed && isTransactional) return
    const member = this.#check(identity)
    if (isTransactional) return
    // Who commits now would commit for a generation whose assignment nobody knows yet.
    if (this.state === 'CompletingRebalance') throw new RebalanceInProgressError(this.name)
    this.#heard(member)
  }

  /** Has everybody join again, because what they read has other partitions now. */
  rebalance(): void {
    if (this.state === 'Stable' || this.state === 'CompletingRebalance') this.#prepareRebalance()
  }

  /** The group is no more. Throws GroupNotEmptyError while it has members. */
  die(): void {
    if (this.#roster.size > 0) throw new GroupNotEmptyError(this.name, this.#roster.size)
    this.close(new UnknownMemberError(this.name, ''))
    this.#standing.enter('Dead')
  }

  /** What somebody else may go on with. */
  get handedOver(): HandedOverGroup {
    return { ...this.metadata, isStable: this.#standing.isStable, members: this.#roster.handedOver }
  }

  /** Somebody else goes on with it: members that wait are to join again. */
  handOver(): void {
    this.close(new RebalanceInProgressError(this.name))
    this.#roster.letGo()
    this.#standing.enter('Dead')
  }

  /** Ends timers and whatever members wait for; nothing is noted. */
  close(error: Error): void {
    this.#timer?.cancel()
    this.#delay?.cancel()
    this.#roster.close(error)
  }

  #joinNew(memberId: string, request: JoinRequest): Promise<JoinResult> {
    this.#roster.forgetExpected(memberId)
    const member = new MemberState(memberId, request, this.#context.clock)
    this.#standing.protocolType = request.protocolType
    this.#roster.admit(member)
    if (this.state === 'Empty') {
      this.#delay = InitialDelay.begin(this.#context.clock, request, () => this.#completeJoin())
    } else this.#delay?.prolong()
    return this.#park(member)
  }

  #joinAgain(request: JoinRequest): Promise<JoinResult> | JoinResult {
    const member = this.#roster.check(request)
    const isSame = member.offersTheSameAs(request)
    const isLeader = member.memberId === this.#standing.leader
    const isSettled = this.state === 'CompletingRebalance' || (this.state === 'Stable' && !isLeader)
    this.#roster.update(member, request)
    if (!isSettled || !isSame) return this.#park(member)
    this.#heard(member)
    return this.#standing.resultFor(member.memberId, this.#roster)
  }

  /**
   * A static member is back under a new id: without a rebalance where the others' parts stay right.
   * Kafka looks at the chosen protocol alone; here a member that reads other topics than before is
   * not left with the partitions of the old ones either.
   */
  #replace(old: MemberState, newId: string, request: JoinRequest): Promise<JoinResult> {
    const fenced = new FencedInstanceError(this.name, request.groupInstanceId ?? '')
    const wasLeader = this.#standing.leader === old.memberId
    const before = old.metadataFor(this.#standing.protocol ?? '')
    this.#roster.replace(old, newId, request, fenced)
    if (wasLeader) this.#standing.leader = newId
    const { state, protocol } = this.#standing
    const isSame =
      state === 'Stable' &&
      this.#roster.preferredProtocol === protocol &&
      readsTheSameTopics(before, old.metadataFor(protocol))
    return isSame ? this.#keepPart(old) : this.#park(old)
  }

  /** Answers a member that is back when its new id is noted: after a restart it is to be known. */
  #keepPart(member: MemberState): Promise<JoinResult> {
    const joined = member.join(() => new RebalanceInProgressError(this.name))
    const waiting = member.joining
    const settle = (answer: (waiting: Deferred<JoinResult>) => void): void => {
      if (waiting === null || member.joining !== waiting) return
      member.joining = null
      this.#heard(member)
      answer(waiting)
    }
    const skipAssignment = member.memberId === this.#standing.leader
    this.#context.save(this.metadata).then(
      () =>
        settle((each) =>
          each.resolve({
            ...this.#standing.resultFor(member.memberId, this.#roster),
            skipAssignment,
          }),
        ),
      (error: unknown) => settle((each) => each.reject(error)),
    )
    return joined
  }

  #park(member: MemberState): Promise<JoinResult> {
    const joined = member.join(() => new RebalanceInProgressError(this.name))
    if (member.isNew) this.#heard(member, newMemberJoinMs)
    // Members of this process are all there already.
    if (member.local !== null && this.#delay !== null) this.#delay.finish()
    else if (this.state === 'PreparingRebalance') this.#maybeComplete()
    else this.#prepareRebalance()
    return joined
  }

  #prepareRebalance(): void {
    const isCompleting = this.state === 'CompletingRebalance'
    this.#standing.enter('PreparingRebalance')
    if (this.#delay === null) this.#setTimer(() => this.#completeJoin())
    for (const member of this.#roster.all) {
      if (isCompleting) this.#roster.assign(member, Buffer.alloc(0))
      member.awaitsSync = false
    }
    this.#answerSyncs((syncing) => syncing.reject(new RebalanceInProgressError(this.name)))
    for (const { joining, local } of [...this.#roster.all]) if (joining === null) local?.rebalance()
    this.#maybeComplete()
  }

  #maybeComplete(): void {
    if (this.state !== 'PreparingRebalance' || this.#delay !== null) return
    if (this.#roster.haveAllJoined) this.#completeJoin()
  }

  /** Goes on with those who have joined. Others are out, unless they are static. */
  #completeJoin(): void {
    this.#delay?.cancel()
    this.#delay = null
    for (const { joining, groupInstanceId, memberId } of [...this.#roster.all]) {
      if (joining === null && groupInstanceId === null) this.#putOut(memberId)
    }
    const leader = this.#roster.leaderAfter(this.#standing.leader)
    if (leader === undefined) {
      // Static members that do not come back run out by their sessions.
      if (this.#roster.size === 0) this.#becomeEmpty()
      else this.#setTimer(() => this.#completeJoin())
      return
    }
    this.#standing.begin(leader.memberId, this.#roster.preferredProtocol)
    this.#setTimer(() => this.#expireUnsynced())
    for (const member of this.#roster.all) {
      const { joining } = member
      member.awaitsSync = true
      member.joining = null
      if (joining === null) continue
      member.isNew = false
      this.#heard(member)
      joining.resolve(this.#standing.resultFor(member.memberId, this.#roster))
    }
  }

  #becomeEmpty(): void {
    this.#timer?.cancel()
    this.#standing.becomeEmpty()
    this.#context.save(this.metadata).catch((error: unknown) => this.#context.failed(error))
  }

  async #assign(assignments: ReadonlyMap<string, Buffer>): Promise<void> {
    const generation = this.generation
    for (const member of this.#roster.all) {
      this.#roster.assign(member, assignments.get(member.memberId) ?? Buffer.alloc(0))
    }
    const noted = { ...this.metadata, currentStateTimestamp: this.#context.clock.now() }
    const saving = this.#context.save(noted).then(() => null)
    const failure = await saving.catch((error: unknown) => ({ error }))
    if (this.state !== 'CompletingRebalance' || this.generation !== generation) return
    if (failure === null) {
      this.#standing.enter('Stable')
      if (this.#roster.haveAllSynced) this.#timer?.cancel()
    }
    this.#answerSyncs((syncing, { assignment }) => {
      if (failure === null) syncing.resolve(assignment)
      else syncing.reject(failure.error)
    })
    if (failure !== null) this.#prepareRebalance()
  }

  #answerSyncs(answer: (syncing: Deferred<Buffer>, member: MemberState) => void): void {
    for (const member of this.#roster.all) {
      const { syncing } = member
      if (syncing === null) continue
      member.syncing = null
      this.#heard(member)
      answer(syncing, member)
    }
  }

  /** Who has joined but does not ask for its part is not there any more. */
  #expireUnsynced(): void {
    const isDivided = this.state === 'CompletingRebalance' || this.state === 'Stable'
    if (!isDivided || this.#roster.haveAllSynced) return
    for (const { awaitsSync, memberId } of [...this.#roster.all]) {
      if (awaitsSync) this.#putOut(memberId)
    }
    this.#prepareRebalance()
  }

  /** A member has gone. */
  #missing(): void {
    if (this.#roster.size === 0) this.#completeJoin()
    else if (this.state === 'PreparingRebalance') this.#maybeComplete()
    else this.#prepareRebalance()
  }

  /** Who was given an id does not come any more. */
  #unexpected(): void {
    this.#maybeComplete()
    if (this.isUnused) this.#context.unused()
  }

  #putOut(memberId: string): void {
    const member = this.#roster.remove(memberId)
    const error = new UnknownMemberError(this.name, memberId)
    member?.end(error)
    member?.local?.removed(error)
  }

  #heard(member: MemberState, timeoutMs?: number): void {
    member.heard(() => {
      const isMember = this.#roster.member(member.memberId) === member
      // A member that waits for the others has nothing to say meanwhile.
      if (!isMember || (member.isParked && !member.isNew)) return
      this.#putOut(member.memberId)
      this.#missing()
    }, timeoutMs)
  }

  #check(identity: MemberIdentity): MemberState {
    const member = this.#roster.check(identity)
    this.#standing.checkGeneration(identity)
    return member
  }

  /** For as long as the group waits for its slowest member. */
  #setTimer(callback: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#context.clock.setTimer(this.#roster.rebalanceTimeoutMs, callback)
  }
}
