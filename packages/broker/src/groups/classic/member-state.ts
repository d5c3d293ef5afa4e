import type { Clock, Timer } from '@varve/log'
import type { MemberMetadata } from '../group-metadata.ts'
import type { JoinRequest, JoinResult, LocalMember, MemberProtocol } from '../group-protocol.ts'
import { Deferred } from './deferred.ts'
import type { HandedOverMember } from './handed-over-group.ts'

/** What stands for a client host in the metadata of members of this process. */
export const localHost = 'in-process'

/** What one of many takes beside its bytes, about. */
const overheadBytes = 200

/** Bytes of what somebody offers. */
export function sizeOf(protocols: readonly MemberProtocol[]): number {
  // One is what a member has to offer: what it takes counts as the member's.
  const overhead = Math.max(0, protocols.length - 1) * overheadBytes
  return protocols.reduce(
    (sum, { name, metadata }) => sum + name.length + metadata.length,
    overhead,
  )
}

/** One member, as its group sees it. */
export class MemberState {
  memberId: string
  readonly groupInstanceId: string | null
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly MemberProtocol[]
  assignment: Buffer = Buffer.alloc(0)
  local: LocalMember | null
  /** Has not been told of a generation yet: it cannot say that it is alive. */
  isNew = true
  /** Has been told of the generation, and not asked for its part yet. */
  awaitsSync = false
  /** Waits for the others to join. */
  joining: Deferred<JoinResult> | null = null
  /** Waits for the leader's assignment. */
  syncing: Deferred<Buffer> | null = null
  readonly #clock: Clock
  #timer: Timer | null = null
  /** Of what it offers; null until somebody asks. */
  #names: ReadonlySet<string> | null = null

  constructor(memberId: string, request: JoinRequest, clock: Clock) {
    this.memberId = memberId
    this.groupInstanceId = request.groupInstanceId
    this.clientId = request.clientId
    this.clientHost = request.clientHost
    this.sessionTimeoutMs = request.sessionTimeoutMs
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    this.protocols = request.protocols
    this.local = request.local
    this.#clock = clock
  }

  /** A member that was one before, and has to show that it is still there. */
  static takeOver(handed: HandedOverMember, clock: Clock): MemberState {
    const member = new MemberState(handed.memberId, { ...handed, protocolType: '' }, clock)
    member.assignment = handed.assignment
    member.isNew = false
    return member
  }

  update(request: JoinRequest): void {
    this.sessionTimeoutMs = request.sessionTimeoutMs
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    this.protocols = request.protocols
    this.#names = null
    this.local = request.local
  }

  /** Another client has taken a static member's place. */
  replace(memberId: string, request: JoinRequest): void {
    this.memberId = memberId
    this.clientId = request.clientId
    this.clientHost = request.clientHost
    this.isNew = false
    this.update(request)
  }

  /** What it offers, each name once. */
  get protocolNames(): ReadonlySet<string> {
    this.#names ??= new Set(this.protocols.map(({ name }) => name))
    return this.#names
  }

  /** Bytes of what its client has said and was given. */
  get sizeBytes(): number {
    return sizeOf(this.protocols) + this.assignment.length
  }

  offers(protocol: string): boolean {
    return this.protocolNames.has(protocol)
  }

  offersTheSameAs(request: JoinRequest): boolean {
    const { protocols } = request
    if (protocols.length !== this.protocols.length) return false
    return this.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index]
      return other?.name === name && other.metadata.equals(metadata)
    })
  }

  metadataFor(protocol: string): Buffer {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? Buffer.alloc(0)
  }

  /** Parks the member until the rebalance goes on; an answer it waited for before is void. */
  join(replaced: () => Error): Promise<JoinResult> {
    this.joining?.reject(replaced())
    this.joining = new Deferred()
    this.stopSession()
    return this.joining.promise
  }

  sync(replaced: () => Error): Promise<Buffer> {
    this.syncing?.reject(replaced())
    this.syncing = new Deferred()
    return this.syncing.promise
  }

  /** It waits for an answer, and has nothing to say meanwhile. */
  get isParked(): boolean {
    return this.joining !== null || this.syncing !== null
  }

  /** The member was heard of: its session begins anew. Local ones have none. */
  heard(expired: () => void, timeoutMs: number = this.sessionTimeoutMs): void {
    if (this.local !== null) return
    this.#timer?.cancel()
    this.#timer = this.#clock.setTimer(timeoutMs, expired)
  }

  stopSession(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Ends everything that the member waits for. */
  end(error: Error): void {
    this.stopSession()
    this.joining?.reject(error)
    this.syncing?.reject(error)
    this.joining = null
    this.syncing = null
  }

  get handedOver(): HandedOverMember {
    const { memberId, groupInstanceId, clientId, clientHost, protocols, assignment, local } = this
    const { rebalanceTimeoutMs, sessionTimeoutMs } = this
    return {
      ...{ memberId, groupInstanceId, clientId, clientHost, protocols, assignment, local },
      ...{ rebalanceTimeoutMs, sessionTimeoutMs },
    }
  }

  toMetadata(protocol: string): MemberMetadata {
    const { protocols: _, local: __, ...member } = this.handedOver
    return { ...member, subscription: this.metadataFor(protocol) }
  }
}
