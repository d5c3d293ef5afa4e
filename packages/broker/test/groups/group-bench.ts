import { ManualClock } from '@varve/log/testing'
import { expect } from 'vitest'
import { Group } from '../../src/groups/classic/group.ts'
import { GroupMemory } from '../../src/groups/group-memory.ts'
import type { GroupMetadata } from '../../src/groups/group-metadata.ts'
import type { JoinRequest, JoinResult, MemberIdentity } from '../../src/groups/group-protocol.ts'

/** A group whose members speak by heartbeats, as over the wire. */
export class RemoteGroupBench {
  readonly clock = new ManualClock()
  /** So many bytes hold what its members say. */
  readonly memory = new GroupMemory(5000)
  readonly saved: GroupMetadata[] = []
  failure: Error | null = null
  /** How often it was told that nobody uses the group. */
  unused = 0
  #ids = 0
  readonly context = {
    clock: this.clock,
    memory: this.memory,
    membersMax: () => 1_000,
    newMemberId: (prefix: string) => `${prefix}-${++this.#ids}`,
    save: async (metadata: GroupMetadata) => {
      if (this.failure !== null) throw this.failure
      this.saved.push(metadata)
    },
    failed: () => undefined,
    unused: () => {
      this.unused += 1
    },
  }
  group = new Group('g', this.context)

  join(clientId: string, request: Partial<JoinRequest> = {}): Promise<JoinResult> {
    return this.group.join({
      memberId: '',
      groupInstanceId: null,
      clientId,
      clientHost: '/127.0.0.1',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from(clientId) }],
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      local: null,
      ...request,
    })
  }

  sync(joined: JoinResult, groupInstanceId: string | null = null): Promise<Buffer> {
    const assignments = new Map(
      joined.members.map(({ memberId }) => [memberId, Buffer.from(`for ${memberId}`)]),
    )
    return this.group.sync({ ...identityOf(joined, groupInstanceId), assignments })
  }

  /** Two members in a stable group. */
  async pair(): Promise<[JoinResult, JoinResult]> {
    const alone = await this.join('a')
    await this.sync(alone)
    const joining = this.join('b')
    const a = await this.join('a', { memberId: alone.memberId })
    const b = await joining
    await Promise.all([this.sync(b), this.sync(a)])
    expect(this.group.state).toBe('Stable')
    return [a, b]
  }
}

export function identityOf(
  joined: JoinResult,
  groupInstanceId: string | null = null,
): MemberIdentity {
  return { memberId: joined.memberId, groupInstanceId, generation: joined.generation }
}
