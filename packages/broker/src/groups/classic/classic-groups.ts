import { UnknownMemberError } from '../group-errors.ts'
import type { GroupMetadata } from '../group-metadata.ts'
import type { JoinRequest, JoinResult } from '../group-protocol.ts'
import { subscribedTopicsOf } from '../group-view.ts'
import { Group } from './group.ts'
import type { GroupContext } from './group-context.ts'
import type { HandedOverGroup } from './handed-over-group.ts'
import { restoredGroup } from './restored-group.ts'

/** The groups of the classic protocol, by their names. */
export class ClassicGroups {
  readonly #groups = new Map<string, Group>()
  readonly #contextOf: (name: string, unused: () => void) => GroupContext
  /** Whether anything stands in the log of a group. */
  readonly #isNoted: (name: string) => boolean

  constructor(
    contextOf: (name: string, unused: () => void) => GroupContext,
    isNoted: (name: string) => boolean,
  ) {
    this.#contextOf = contextOf
    this.#isNoted = isNoted
  }

  get all(): Iterable<Group> {
    return this.#groups.values()
  }

  get names(): Iterable<string> {
    return this.#groups.keys()
  }

  find(name: string): Group | undefined {
    return this.#groups.get(name)
  }

  /** Throws UnknownMemberError for a group that is not there, of which nobody is a member. */
  of(name: string, memberId: string): Group {
    const group = this.#groups.get(name)
    if (group === undefined) throw new UnknownMemberError(name, memberId)
    return group
  }

  restore(name: string, metadata: GroupMetadata): void {
    this.#groups.set(name, restoredGroup(name, metadata, this.#context(name)))
  }

  /**
   * See Group.join. A group that is not there yet is made for who is new in it. Rejects with
   * UnknownMemberError for who is not.
   */
  async join(name: string, request: JoinRequest): Promise<JoinResult> {
    const known = this.#groups.get(name)
    if (known !== undefined) return known.join(request)
    if (request.memberId !== '') throw new UnknownMemberError(name, request.memberId)
    const joined = this.make(name).join(request)
    this.dropUnused(name)
    return joined
  }

  make(name: string): Group {
    const group = new Group(name, this.#context(name))
    this.#groups.set(name, group)
    return group
  }

  /** Forgets a group. Throws GroupNotEmptyError. */
  end(name: string): void {
    this.#groups.get(name)?.die()
    this.#groups.delete(name)
  }

  /** Who only was given an id, or was refused, has made no group. */
  dropUnused(name: string): void {
    if (this.#groups.get(name)?.isUnused === true && !this.#isNoted(name)) {
      this.#groups.delete(name)
    }
  }

  /** A group as it stands, for somebody else to go on with; null where there is none. */
  handedOver(name: string): HandedOverGroup | null {
    return this.#groups.get(name)?.handedOver ?? null
  }

  /** A group that goes on elsewhere: its members wait for nothing here any more. */
  handOver(name: string): void {
    this.#groups.get(name)?.handOver()
  }

  /** It has gone on elsewhere. */
  forget(name: string): void {
    this.#groups.delete(name)
  }

  /** Goes on with a group from elsewhere; `rebalances` where it is to be divided anew at once. */
  takeOver(name: string, handed: HandedOverGroup, rebalances: boolean): void {
    const group = Group.takeOver(name, handed, this.#context(name))
    this.#groups.set(name, group)
    if (rebalances) group.rebalance()
  }

  /** Has groups divide anew that are led here and read any of these topics. */
  topicsChanged(topics: ReadonlySet<string>): void {
    for (const group of this.#groups.values()) {
      // Other leaders see it by themselves, and some make topics while they divide.
      if (!group.isLedHere) continue
      const subscribed = subscribedTopicsOf(group.metadata)
      if (subscribed === null) continue
      for (const topic of topics) {
        if (!subscribed.has(topic)) continue
        group.rebalance()
        break
      }
    }
  }

  /** Members that wait for something are told that they are none any more. */
  close(): void {
    for (const group of this.#groups.values()) group.close(new UnknownMemberError(group.name, ''))
    this.#groups.clear()
  }

  #context(name: string): GroupContext {
    return this.#contextOf(name, () => this.dropUnused(name))
  }
}
