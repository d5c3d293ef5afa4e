import type { Clock } from '@varve/log'
import type { GroupMemory } from '../group-memory.ts'
import type { GroupMetadata } from '../group-metadata.ts'

/** What a group needs of the world. */
export interface GroupContext {
  readonly clock: Clock
  /** Shared with the other groups. */
  readonly memory: GroupMemory
  /** So many members over the wire it may have. */
  membersMax(): number
  /** A name for a new member, never given before, that begins with this. */
  newMemberId(prefix: string): string
  /** Notes the group durably. */
  save(metadata: GroupMetadata): Promise<void>
  /** Told what could not be noted; the group goes on without. */
  failed(error: unknown): void
  /** Told when nobody is in it who never was more than about to join: see Group.isUnused. */
  unused(): void
}
