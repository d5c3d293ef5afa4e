import type { Clock, Timer } from '@varve/log'
import { GroupFullError } from '../consumer/consumer-group-errors.ts'
import {
  FencedInstanceError,
  type GroupError,
  GroupMemoryFullError,
  InconsistentGroupProtocolError,
  UnknownMemberError,
} from '../group-errors.ts'
import { GroupMemory } from '../group-memory.ts'
import type { JoinRequest, MemberName } from '../group-protocol.ts'
import type { HandedOverMember } from './handed-over-group.ts'
import { type MemberState, sizeOf } from './member-state.ts'
import { chooseProtocol } from './protocol-choice.ts'

/** So many who were given an id and have not come with it yet are remembered, per group. */
const expectedMax = 10_000

/**
 * Who is in a group: its members by their ids, static ones by the names of their instances too, and
 * those who were given an id with which they are to come (KIP-394).
 */
export class GroupRoster {
  readonly #group: string
  readonly #memory: GroupMemory
  readonly #members = new Map<string, MemberState>()
  /** Member ids of static members, by instance id. */
  readonly #instances = new Map<string, string>()
  readonly #expected = new Map<string, Timer>()
  /** How many members offer each protocol. */
  readonly #offers = new Map<string, number>()

  /** @param memory what it and others take */
  constructor(group: string, memory: GroupMemory = new GroupMemory()) {
    this.#group = group
    this.#memory = memory
  }

  get size(): number {
    return this.#members.size
  }

  /** In the order in which they came. */
  get all(): Iterable<MemberState> {
    return this.#members.values()
  }

  get isEmpty(): boolean {
    return this.#members.size === 0 && this.#expected.size === 0
  }

  /** Whether everybody who is to come to a rebalance has. */
  get haveAllJoined(): boolean {
    if (this.#expected.size > 0) return false
    for (const { joining } of this.#members.values()) if (joining === null) return false
    return true
  }

  get haveAllSynced(): boolean {
    for (const { awaitsSync } of this.#members.values()) if (awaitsSync) return false
    return true
  }

  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const member of this.#members.values()) {
      longest = Math.max(longest, member.rebalanceTimeoutMs)
    }
    return longest
  }

  /** The protocol that all have and most prefer. */
  get preferredProtocol(): string {
    return chooseProtocol([...this.#members.values()])
  }

  member(memberId: string): MemberState | undefined {
    return this.#members.get(memberId)
  }

  /** The static member of this name. */
  instance(groupInstanceId: string): MemberState | undefined {
    return this.#members.get(this.#instances.get(groupInstanceId) ?? '')
  }

  admit(member: MemberState): void {
    const { memberId, groupInstanceId } = member
    this.#members.set(memberId, member)
    if (groupInstanceId !== null) this.#instances.set(groupInstanceId, memberId)
    this.#count(member, 1)
  }

  remove(memberId: string): MemberState | undefined {
    const member = this.#members.get(memberId)
    if (member === undefined) return undefined
    this.#members.delete(memberId)
    const { groupInstanceId } = member
    if (groupInstanceId !== null) this.#instances.delete(groupInstanceId)
    this.#count(member, -1)
    return member
  }

  /** Gives a member its part. */
  assign(member: MemberState, assignment: Buffer): void {
    this.#memory.letGo(member)
    member.assignment = assignment
    this.#memory.hold(member)
  }

  /** Who leads of those who have joined: who led, or else who came first; undefined for nobody. */
  leaderAfter(leader: string | null): MemberState | undefined {
    const before = this.#members.get(leader ?? '')
    if (before !== undefined && before.joining !== null) return before
    for (const member of this.#members.values()) if (member.joining !== null) return member
    return undefined
  }

  /** Another client takes a member's place. */
  replace(old: MemberState, memberId: string, request: JoinRequest, fenced: Error): void {
    const { local } = old
    this.remove(old.memberId)
    old.end(fenced)
    old.replace(memberId, request)
    this.admit(old)
    local?.removed(fenced)
  }

  /** Takes over what a member offers now. */
  update(member: MemberState, request: JoinRequest): void {
    this.#count(member, -1)
    member.update(request)
    this.#count(member, 1)
  }

  /**
   * Throws InconsistentGroupProtocolError for who is of another type than the others, or has no
   * protocol in common with all of them, and GroupMemoryFullError.
   */
  checkProtocols({ memberId, protocolType, protocols }: JoinRequest, groupType: string): void {
    this.#checkRoom(sizeOf(protocols))
    const own = this.#members.get(memberId)
    const others = this.#members.size - (own === undefined ? 0 : 1)
    const isOfType = protocolType !== '' && (others === 0 || protocolType === groupType)
    const isCommon = (name: string): boolean => {
      const offers = this.#offers.get(name) ?? 0
      return offers - (own?.offers(name) === true ? 1 : 0) === others
    }
    if (isOfType && protocols.some(({ name }) => isCommon(name))) return
    const offered = [protocolType, ...protocols.map(({ name }) => name)]
    throw new InconsistentGroupProtocolError(this.#group, offered, [
      ...(others === 0 ? [] : [groupType]),
      ...[...this.#offers.keys()].filter(isCommon),
    ])
  }

  /**
   * Throws GroupFullError where there are as many members as there may be. Who is one already, by
   * whatever name, may join anew; members of this process are as many as its program wants.
   */
  checkSize({ memberId, groupInstanceId, local }: JoinRequest, max: number): void {
    if (this.#members.size < max || local !== null || this.#members.has(memberId)) return
    if (groupInstanceId !== null && this.#instances.has(groupInstanceId)) return
    throw new GroupFullError(this.#group, max)
  }

  /** Throws GroupMemoryFullError where there is no room for what a leader hands out. */
  checkAssignments(assignments: ReadonlyMap<string, Buffer>): void {
    this.#checkRoom([...assignments.values()].reduce((sum, { length }) => sum + length, 0))
  }

  /** Gives somebody an id to join with, which is good for so long; `gone` when it is not used. */
  expect(memberId: string, clock: Clock, timeoutMs: number, gone: () => void): void {
    const [oldest] = this.#expected.keys()
    if (this.#expected.size >= expectedMax && oldest !== undefined) this.forgetExpected(oldest)
    const timer = clock.setTimer(timeoutMs, () => {
      if (this.#expected.delete(memberId)) gone()
    })
    this.#expected.set(memberId, timer)
  }

  /** Whether somebody was expected of that id, who is so no more. */
  forgetExpected(memberId: string): boolean {
    this.#expected.get(memberId)?.cancel()
    return this.#expected.delete(memberId)
  }

  /** Whether somebody comes with an id that it was given. Static members are given none before. */
  isExpected({ memberId, groupInstanceId }: MemberName): boolean {
    return groupInstanceId === null && this.#expected.has(memberId)
  }

  /** The member that speaks. Throws FencedInstanceError, UnknownMemberError. */
  check(who: MemberName): MemberState {
    const checked = this.find(who)
    if (checked instanceof Error) throw checked
    if (who.memberId === checked.memberId) return checked
    throw new UnknownMemberError(this.#group, who.memberId)
  }

  /** As `check`; a static member may be named by its instance alone. */
  find(who: MemberName): MemberState | GroupError {
    const { groupInstanceId } = who
    const current = this.#instances.get(groupInstanceId ?? '')
    const memberId = who.memberId === '' ? (current ?? '') : who.memberId
    if (groupInstanceId !== null) {
      if (current === undefined) return new UnknownMemberError(this.#group, memberId)
      if (current !== memberId) return new FencedInstanceError(this.#group, groupInstanceId)
    }
    return this.#members.get(memberId) ?? new UnknownMemberError(this.#group, memberId)
  }

  /** Ends timers and whatever members wait for. */
  close(error: Error): void {
    for (const timer of this.#expected.values()) timer.cancel()
    this.#expected.clear()
    for (const member of this.#members.values()) member.end(error)
  }

  /**
   * What somebody else may go on with. Who has just come and is of this process is not in it: it
   * does not know its id yet, and comes again.
   */
  get handedOver(): HandedOverMember[] {
    const known = [...this.#members.values()].filter((each) => !each.isNew || each.local === null)
    return known.map(({ handedOver }) => handedOver)
  }

  /** What its members take is somebody else's to count from now on. */
  letGo(): void {
    for (const member of this.#members.values()) this.#memory.letGo(member)
    this.#members.clear()
    this.#instances.clear()
    this.#offers.clear()
  }

  #checkRoom(bytes: number): void {
    const { limitBytes } = this.#memory
    if (!this.#memory.hasRoomFor(bytes)) throw new GroupMemoryFullError(this.#group, limitBytes)
  }

  #count(member: MemberState, change: 1 | -1): void {
    if (change > 0) this.#memory.hold(member)
    else this.#memory.letGo(member)
    for (const name of member.protocolNames) {
      const count = (this.#offers.get(name) ?? 0) + change
      if (count === 0) this.#offers.delete(name)
      else this.#offers.set(name, count)
    }
  }
}
