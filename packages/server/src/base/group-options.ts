import { InvalidArgumentError } from '@varve/record'
import {
  type ConsumerGroupServingOptions,
  type ResolvedConsumerGroupServingOptions,
  resolveConsumerGroupServingOptions,
} from './consumer-group-options.ts'

/** How groups with members over the wire are led. Members of the same process are not concerned. */
export interface GroupServingOptions extends ConsumerGroupServingOptions {
  /**
   * How long a group that was empty waits for more members than the first, in ms: Kafka's
   * group.initial.rebalance.delay.ms. Tests set it to 0. @defaultValue 3000
   */
  readonly groupInitialRebalanceDelayMs?: number
  /** The shortest session: Kafka's group.min.session.timeout.ms. @defaultValue 6000 */
  readonly groupSessionTimeoutMsMin?: number
  /** The longest: Kafka's group.max.session.timeout.ms. @defaultValue 1800000, half an hour */
  readonly groupSessionTimeoutMsMax?: number
  /** Members that a group may have: Kafka's group.max.size. @defaultValue 2147483647 */
  readonly groupSizeMax?: number
}

export type ResolvedGroupServingOptions = ResolvedConsumerGroupServingOptions &
  Required<GroupServingOptions>

/** Throws InvalidArgumentError. */
export function resolveGroupServingOptions(
  options: GroupServingOptions,
): ResolvedGroupServingOptions {
  const { groupInitialRebalanceDelayMs = 3000 } = options
  const { groupSessionTimeoutMsMin = 6000, groupSessionTimeoutMsMax = 1_800_000 } = options
  const { groupSizeMax = 2 ** 31 - 1 } = options
  if (!(Number.isSafeInteger(groupSizeMax) && groupSizeMax >= 1)) {
    throw new InvalidArgumentError(
      'groupSizeMax',
      groupSizeMax,
      'must be a whole number, 1 or more',
    )
  }
  const resolved = {
    ...{ groupInitialRebalanceDelayMs, groupSessionTimeoutMsMin, groupSessionTimeoutMsMax },
  }
  for (const [name, value] of Object.entries(resolved)) {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) continue
    throw new InvalidArgumentError(name, value, 'must be whole milliseconds, 0 or more')
  }
  if (groupSessionTimeoutMsMin > groupSessionTimeoutMsMax) {
    const rule = `must not be above the longest, ${groupSessionTimeoutMsMax}`
    throw new InvalidArgumentError('groupSessionTimeoutMsMin', groupSessionTimeoutMsMin, rule)
  }
  return { ...resolveConsumerGroupServingOptions(options), ...resolved, groupSizeMax }
}
