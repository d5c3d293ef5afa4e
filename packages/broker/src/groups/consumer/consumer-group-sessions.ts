import type { Clock, Timer } from '@varve/log'
import { type AssignedPartitions, sameAssigned } from './assigned-partitions.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'

/** A timer that has fired, and whether nothing has been heard since that sets it again. */
export interface FiredTimer {
  readonly isCurrent: () => boolean
}

type Fired = (fired: FiredTimer) => void

interface Revocation {
  readonly memberEpoch: number
  readonly revoking: AssignedPartitions
  readonly timer: Timer
}

/** The timers of one group's members: of their silence, and of what they are to give up. */
export class ConsumerGroupSessions {
  readonly #clock: Clock
  readonly #silences = new Map<string, Timer>()
  readonly #revocations = new Map<string, Revocation>()
  /** Of members of the classic protocol that are to join again, and to ask for their part. */
  readonly #joins = new Map<string, Timer>()
  readonly #syncs = new Map<string, Timer>()
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A member was heard of; `expired` when it has been silent for so long. */
  heard(memberId: string, timeoutMs: number, expired: Fired): void {
    if (this.#isClosed) return
    this.#silences.get(memberId)?.cancel()
    const isCurrent = (): boolean => this.#silences.get(memberId) === timer
    const timer = this.#clock.setTimer(timeoutMs, () => expired({ isCurrent }))
    this.#silences.set(memberId, timer)
  }

  /** A member is to give up partitions, and is given so long; not longer when it asks again. */
  revoking(member: ConsumerGroupMember, expired: Fired): void {
    if (this.#isClosed) return
    const { memberId, memberEpoch, revoking, rebalanceTimeoutMs } = member
    const before = this.#revocations.get(memberId)
    if (before?.memberEpoch === memberEpoch && sameAssigned(before.revoking, revoking)) return
    this.revoked(memberId)
    const isCurrent = (): boolean => this.#revocations.get(memberId)?.timer === timer
    const timer = this.#clock.setTimer(rebalanceTimeoutMs, () => expired({ isCurrent }))
    this.#revocations.set(memberId, { memberEpoch, revoking, timer })
  }

  revoked(memberId: string): void {
    this.#revocations.get(memberId)?.timer.cancel()
    this.#revocations.delete(memberId)
  }

  /** Of a member of this process nothing has to be heard. */
  unheard(memberId: string): void {
    this.#silences.get(memberId)?.cancel()
    this.#silences.delete(memberId)
  }

  /** A classic member is told to join again, and given so long from the first time on. */
  rejoining(memberId: string, timeoutMs: number, expired: Fired): void {
    if (!this.#joins.has(memberId)) this.#await(this.#joins, memberId, timeoutMs, expired)
  }

  /** It has joined, and has so long to ask for its part. */
  joined(memberId: string, timeoutMs: number, expired: Fired): void {
    cancel(this.#joins, memberId)
    this.#await(this.#syncs, memberId, timeoutMs, expired)
  }

  synced(memberId: string): void {
    cancel(this.#syncs, memberId)
  }

  /** A member is none any more. */
  end(memberId: string): void {
    this.unheard(memberId)
    this.revoked(memberId)
    cancel(this.#joins, memberId)
    cancel(this.#syncs, memberId)
  }

  /** Ends all timers; none is set any more. */
  close(): void {
    this.#isClosed = true
    const all = [this.#silences, this.#revocations, this.#joins, this.#syncs]
    for (const memberId of all.flatMap((timers) => [...timers.keys()])) this.end(memberId)
  }

  #await(timers: Map<string, Timer>, memberId: string, timeoutMs: number, expired: Fired): void {
    if (this.#isClosed) return
    cancel(timers, memberId)
    const isCurrent = (): boolean => timers.get(memberId) === timer
    const timer = this.#clock.setTimer(timeoutMs, () => expired({ isCurrent }))
    timers.set(memberId, timer)
  }
}

function cancel(timers: Map<string, Timer>, memberId: string): void {
  timers.get(memberId)?.cancel()
  timers.delete(memberId)
}
