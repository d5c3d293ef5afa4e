import { type GroupMigrationPolicy, groupMigrationPolicies } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'

/** How groups of the consumer protocol (KIP-848) are led. The defaults are Kafka's. */
export interface ConsumerGroupServingOptions {
  /**
   * Silence after which a member counts as gone, in ms: Kafka's group.consumer.session.timeout.ms.
   * A group may be given another between the shortest and the longest. @defaultValue 45000
   */
  readonly groupConsumerSessionTimeoutMs?: number
  /** @defaultValue 45000 */
  readonly groupConsumerSessionTimeoutMsMin?: number
  /** @defaultValue 60000 */
  readonly groupConsumerSessionTimeoutMsMax?: number
  /**
   * How often members are to be heard of, in ms: Kafka's group.consumer.heartbeat.interval.ms. A
   * group may be given another likewise. @defaultValue 5000
   */
  readonly groupConsumerHeartbeatIntervalMs?: number
  /** @defaultValue 5000 */
  readonly groupConsumerHeartbeatIntervalMsMin?: number
  /** @defaultValue 15000 */
  readonly groupConsumerHeartbeatIntervalMsMax?: number
  /**
   * How long what has been divided stands at least, in ms: Kafka's
   * group.consumer.assignment.interval.ms. A group may be given another, up to 15000.
   * @defaultValue 1000
   */
  readonly groupConsumerAssignmentIntervalMs?: number
  /** Members that a group may have: Kafka's group.consumer.max.size. @defaultValue 2147483647 */
  readonly groupConsumerSizeMax?: number
  /**
   * Which way a group may change its protocol while it has members: Kafka's
   * group.consumer.migration.policy. `upgrade` is from the classic one to the consumer protocol
   * (KIP-848). A group without members changes whatever this is. @defaultValue 'bidirectional'
   */
  readonly groupConsumerMigrationPolicy?: GroupMigrationPolicy
}

export type ResolvedConsumerGroupServingOptions = Required<ConsumerGroupServingOptions>

type Numbers = Omit<ResolvedConsumerGroupServingOptions, 'groupConsumerMigrationPolicy'>

const defaults: Numbers = {
  groupConsumerSessionTimeoutMs: 45_000,
  groupConsumerSessionTimeoutMsMin: 45_000,
  groupConsumerSessionTimeoutMsMax: 60_000,
  groupConsumerHeartbeatIntervalMs: 5_000,
  groupConsumerHeartbeatIntervalMsMin: 5_000,
  groupConsumerHeartbeatIntervalMsMax: 15_000,
  groupConsumerAssignmentIntervalMs: 1_000,
  groupConsumerSizeMax: 2 ** 31 - 1,
}

/** Throws InvalidArgumentError. */
export function resolveConsumerGroupServingOptions(
  options: ConsumerGroupServingOptions,
): ResolvedConsumerGroupServingOptions {
  const { groupConsumerMigrationPolicy = 'bidirectional' } = options
  if (!groupMigrationPolicies.includes(groupConsumerMigrationPolicy)) {
    const rule = `must be one of ${groupMigrationPolicies.join(', ')}`
    throw new InvalidArgumentError(
      'groupConsumerMigrationPolicy',
      groupConsumerMigrationPolicy,
      rule,
    )
  }
  const resolved = { ...defaults, groupConsumerMigrationPolicy }
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const value = options[name] ?? defaults[name]
    const least = name === 'groupConsumerAssignmentIntervalMs' ? 0 : 1
    if (!(Number.isInteger(value) && value >= least && value < 2 ** 31)) {
      throw new InvalidArgumentError(name, value, `must be a whole number, ${least} or more`)
    }
    resolved[name] = value
  }
  checkBounds(resolved, 'groupConsumerSessionTimeoutMs')
  checkBounds(resolved, 'groupConsumerHeartbeatIntervalMs')
  const { groupConsumerSessionTimeoutMs: session, groupConsumerHeartbeatIntervalMs: beat } =
    resolved
  if (beat < session) return resolved
  const rule = `must be below the session's time-out, ${session}`
  throw new InvalidArgumentError('groupConsumerHeartbeatIntervalMs', beat, rule)
}

function checkBounds(
  resolved: ResolvedConsumerGroupServingOptions,
  name: 'groupConsumerSessionTimeoutMs' | 'groupConsumerHeartbeatIntervalMs',
): void {
  const value = resolved[name]
  const min = resolved[`${name}Min`]
  const max = resolved[`${name}Max`]
  if (value >= min && value <= max) return
  throw new InvalidArgumentError(name, value, `must be between ${min} and ${max}`)
}
