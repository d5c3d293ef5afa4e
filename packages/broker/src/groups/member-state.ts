import type { Clock, Timer } from '@varve/log'
import { Deferred } from './deferred.ts'
import type { MemberMetadata } from './group-metadata.ts'
import type { JoinRequest, JoinResult, LocalMember, MemberProtocol } from './group-protocol.ts'

/** What stands for a client host in the metadata of members of this process. */
export const localHost = 'in-process'

/** One member, as its group sees it. */
export class MemberState {
  memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly MemberProtocol[]
  assignment: Buffer = Buffer.alloc(0)
  local: LocalMember | null
  /** Waits for the others to join. */
  joining: Deferred<JoinResult> | null = null
  /** Waits for the leader's assignment. */
  syncing: Deferred<Buffer> | null = null
  readonly #clock: Clock
  #timer: Timer | null = null

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

  /** As a group's metadata has it: a member that has to show that it is still there. */
  static restore(metadata: MemberMetadata, protocol: string, clock: Clock): MemberState {
    const protocols = [{ name: protocol, metadata: metadata.subscription }]
    const request = { ...metadata, protocolType: '', protocols, local: null }
    const member = new MemberState(metadata.memberId, request, clock)
    member.assignment = metadata.assignment
    return member
  }

  update(request: JoinRequest): void {
    this.sessionTimeoutMs = request.sessionTimeoutMs
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    this.protocols = request.protocols
    this.local = request.local
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

  /** The member was heard of: its session begins anew. Local ones have none. */
  heard(expired: () => void): void {
    if (this.local === null) this.startSession(expired)
  }

  startSession(expired: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.setTimer(this.sessionTimeoutMs, expired)
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

  toMetadata(protocol: string): MemberMetadata {
    return {
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      clientId: this.clientId,
      clientHost: this.clientHost,
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      sessionTimeoutMs: this.sessionTimeoutMs,
      subscription: this.metadataFor(protocol),
      assignment: this.assignment,
    }
  }
}
