import type { GroupMetadata, MemberMetadata } from '../group-metadata.ts'
import type { LocalMember, MemberProtocol } from '../group-protocol.ts'

/** A member of the classic protocol, with all that it offers. */
export interface HandedOverMember extends Omit<MemberMetadata, 'subscription'> {
  readonly protocols: readonly MemberProtocol[]
  /** Null for a member over the wire. */
  readonly local: LocalMember | null
}

/** A group of the classic protocol on its way from one protocol to the other, with its members. */
export interface HandedOverGroup extends Omit<GroupMetadata, 'members'> {
  readonly members: readonly HandedOverMember[]
  /** Whether everybody has what was divided last, or is about to be given it. */
  readonly isStable: boolean
}

/** What a member says to an assignor; to its first where it does not have that. */
export function subscriptionOf(
  { protocols }: Pick<HandedOverMember, 'protocols'>,
  protocol: string | null,
): Buffer {
  const found = protocols.find(({ name }) => name === protocol) ?? protocols[0]
  return found?.metadata ?? Buffer.alloc(0)
}

/** As it is noted. */
export function metadataOf({ members, isStable: _, ...group }: HandedOverGroup): GroupMetadata {
  return {
    ...group,
    members: members.map(({ protocols, local: __, ...member }) => {
      return { ...member, subscription: subscriptionOf({ protocols }, group.protocol) }
    }),
  }
}
