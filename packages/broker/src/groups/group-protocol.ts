// What members ask of a group and are answered: Kafka's JoinGroup, SyncGroup, Heartbeat and
// LeaveGroup, without their bytes.

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** An assignor that a member offers, and what it says to whoever leads. */
export interface MemberProtocol {
  readonly name: string
  /** A consumer protocol subscription, for consumers. Opaque to the group. */
  readonly metadata: Buffer
}

export interface JoinRequest {
  /** Empty for who is new. */
  readonly memberId: string
  /** A name that the member keeps over restarts; null for a dynamic one. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** `consumer` for consumers. */
  readonly protocolType: string
  /** In order of preference. */
  readonly protocols: readonly MemberProtocol[]
  /** Silence after which the member counts as gone. */
  readonly sessionTimeoutMs: number
  /** How long the group waits for it to join again in a rebalance. */
  readonly rebalanceTimeoutMs: number
  /** Null for a member that speaks by heartbeats, and is told of rebalances as their answer. */
  readonly local: LocalMember | null
  /**
   * Whether somebody new is told its id first, and joins when it comes again with that: so that
   * nobody is counted twice whose answer got lost. Static members are not. @defaultValue false
   */
  readonly needsKnownId?: boolean
  /**
   * How long an empty group waits for more members when this one is its first, in ms: Kafka's
   * group.initial.rebalance.delay.ms. A member of this process ends the wait. @defaultValue 0
   */
  readonly initialRebalanceDelayMs?: number
}

/** A member in this process: no silence ends its session, and it is told things at once. */
export interface LocalMember {
  /** It has to join again. */
  rebalance(): void
  /** It is no member any more: put out, or fenced by another of its name. */
  removed(error: Error): void
}

export interface JoinResult {
  readonly memberId: string
  readonly generation: number
  /** The assignor that was chosen. */
  readonly protocol: string
  readonly leader: string
  /** To the leader: all members, with what they say to the chosen assignor. Else empty. */
  readonly members: readonly JoinedMember[]
  /** A static leader that is back has nothing to divide: what was divided stands (KIP-814). */
  readonly skipAssignment: boolean
}

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

/** Who a member is. */
export interface MemberName {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** Who speaks, and as of when. */
export interface MemberIdentity extends MemberName {
  readonly generation: number
}

export interface SyncRequest extends MemberIdentity {
  /** From the leader: what each member gets. Else empty. */
  readonly assignments: ReadonlyMap<string, Buffer>
  /** What the member believes the group to be of; not checked where it does not say. */
  readonly protocolType?: string | null
  readonly protocol?: string | null
}
