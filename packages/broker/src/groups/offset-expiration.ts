import { InvalidArgumentError, type Timestamp } from '@varve/record'
import type { StoredOffset } from './group-offsets.ts'

/** Kafka's offsets.retention.minutes: 7 days. */
export const defaultOffsetsRetentionMs: number = 7 * 86_400_000

/** What expiry has to know of a group. */
export interface ExpiryFacts {
  readonly state: 'empty' | 'stable' | 'changing'
  /** Whether members ever joined it; else offsets were only committed in its name. */
  readonly hasMembership: boolean
  /** When it came into its state; -1 where it is not known. */
  readonly currentStateTimestamp: Timestamp
  /** Topics that its members read; null where that is not known. */
  readonly subscribedTopics: ReadonlySet<string> | null
}

/**
 * The offsets whose time is over, by Kafka's rule (KIP-211):
 *
 * - in an empty group all of them, the retention time after its last member left;
 * - in a stable group those of topics that it no longer reads, the retention time after their
 *   commit; in a rebalance none;
 * - where only offsets were ever committed, the retention time after each one's commit;
 * - a commit that an old client gave an expiry of its own, at that time instead.
 */
export function expiredOffsets(
  offsets: readonly StoredOffset[],
  facts: ExpiryFacts,
  nowMs: Timestamp,
  retentionMs: number,
): StoredOffset[] {
  const { state, hasMembership, currentStateTimestamp, subscribedTopics } = facts
  if (state === 'changing') return []
  return offsets.filter((commit) => {
    if (state === 'stable' && subscribedTopics?.has(commit.topic) !== false) return false
    if (commit.expireTimestamp !== -1) return nowMs >= commit.expireTimestamp
    const isSinceEmpty = state === 'empty' && hasMembership && currentStateTimestamp !== -1
    const sinceMs = isSinceEmpty ? currentStateTimestamp : commit.commitTimestamp
    return nowMs - sinceMs >= retentionMs
  })
}

/** Throws InvalidArgumentError. */
export function checkOffsetsRetention(retentionMs: number): void {
  if (Number.isSafeInteger(retentionMs) && retentionMs >= 1) return
  throw new InvalidArgumentError('offsetsRetentionMs', retentionMs, 'must be whole ms, 1 at least')
}
