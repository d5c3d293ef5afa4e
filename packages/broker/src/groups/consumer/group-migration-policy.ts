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
