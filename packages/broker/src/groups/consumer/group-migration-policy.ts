import type { MemberProtocol } from '../group-protocol.ts'

/** A change of the protocol is one batch, of a MiB at most: so much of it is members, about. */
const changeBytesMax = 1_000_000
/** What a member takes in a batch beside what it says and has: its ids, in several records. */
const memberBytes = 400

/**
 * Which way a group may change its protocol while it has members: Kafka's
 * group.consumer.migration.policy. `upgrade` is from the classic protocol to the consumer protocol
 * (KIP-848). One without members changes whatever this is.
 */
export type GroupMigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

export const groupMigrationPolicies: readonly GroupMigrationPolicy[] = [
  'bidirectional',
  'upgrade',
  'downgrade',
  'disabled',
]

export function mayUpgrade(policy: GroupMigrationPolicy): boolean {
  return policy === 'bidirectional' || policy === 'upgrade'
}

export function mayDowngrade(policy: GroupMigrationPolicy): boolean {
  return policy === 'bidirectional' || policy === 'downgrade'
}

/** Whether members are too many, or say too much, to be noted at once. */
export function isTooMuch(
  members: readonly { readonly protocols: readonly MemberProtocol[]; readonly has: number }[],
): boolean {
  let bytes = 0
  for (const { protocols, has } of members) {
    bytes += memberBytes + has
    for (const { name, metadata } of protocols) bytes += name.length + metadata.length
    // Names of topics stand there once more.
    bytes += protocols[0]?.metadata.length ?? 0
  }
  return bytes > changeBytesMax
}
