import { InvalidArgumentError } from '@varve/record'

/** What may happen to a topic's old records: Kafka's `cleanup.policy`. */
export type CleanupPolicy = 'delete' | 'compact'

/**
 * How a log is kept at its size and in its shape. Names and defaults are Kafka's where it has them.
 */
export interface CleaningPolicy {
  /**
   * `delete` whole segments by time and size, `compact` to the newest record per key, or both.
   * @defaultValue ['delete']
   */
  readonly cleanupPolicy?: readonly CleanupPolicy[]
  /** Age at which a segment is deleted, by its largest timestamp; -1 never. @defaultValue 7 days */
  readonly retentionMs?: number
  /** Size above which the oldest segments are deleted; -1 none. @defaultValue -1 */
  readonly retentionBytes?: number
  /**
   * How long what says that something is gone (a tombstone, the marker of an emptied transaction)
   * stays after compaction first met it, so that readers can learn of it. @defaultValue 24 h
   */
  readonly deleteRetentionMs?: number
  /** Share of bytes not compacted yet above which a log is compacted. @defaultValue 0.5 */
  readonly minCleanableDirtyRatio?: number
  /** Records younger than this are not compacted. @defaultValue 0 */
  readonly minCompactionLagMs?: number
  /** Records older than this are compacted whatever the ratio; -1 never. @defaultValue -1 */
  readonly maxCompactionLagMs?: number
  /** Age at which compaction drops a record whatever its key; -1 never. Ours. @defaultValue -1 */
  readonly recordTtlMs?: number
  /**
   * At most so many bytes are kept for consumer groups beyond what retention would delete; -1 no
   * limit. Ours. @defaultValue -1
   */
  readonly holdBytesMax?: number
  /**
   * Segments whose newest record is older than this are not kept for consumer groups; -1 no limit.
   * Ours. @defaultValue -1
   */
  readonly holdMsMax?: number
}

/** Every setting, each with a value. */
export type ResolvedCleaningPolicy = Required<CleaningPolicy>

export const defaultCleaningPolicy: ResolvedCleaningPolicy = Object.freeze({
  cleanupPolicy: Object.freeze(['delete'] as const),
  retentionMs: 7 * 86_400_000,
  retentionBytes: -1,
  deleteRetentionMs: 86_400_000,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: -1,
  recordTtlMs: -1,
  holdBytesMax: -1,
  holdMsMax: -1,
})

/** The least value of each number; all but the ratio are integers. */
const least: { readonly [Name in keyof ResolvedCleaningPolicy]?: number } = {
  retentionMs: -1,
  retentionBytes: -1,
  deleteRetentionMs: 0,
  minCompactionLagMs: 0,
  maxCompactionLagMs: -1,
  recordTtlMs: -1,
  holdBytesMax: -1,
  holdMsMax: -1,
}

/** Fills in the defaults and checks every value. Throws InvalidArgumentError. */
export function resolveCleaningPolicy(policy: CleaningPolicy = {}): ResolvedCleaningPolicy {
  const given = Object.fromEntries(
    Object.entries(policy).filter(([, value]) => value !== undefined),
  )
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultCleaningPolicy, name)) {
      throw new InvalidArgumentError(name, value, 'there is no such setting')
    }
    const min = least[name as keyof ResolvedCleaningPolicy]
    if (min === undefined || (Number.isSafeInteger(value) && (value as number) >= min)) continue
    throw new InvalidArgumentError(name, value, `must be an integer, at least ${min}`)
  }
  const resolved: ResolvedCleaningPolicy = { ...defaultCleaningPolicy, ...given }
  checkCleanupPolicy(resolved.cleanupPolicy)
  const { minCleanableDirtyRatio: ratio, minCompactionLagMs, maxCompactionLagMs } = resolved
  if (!(typeof ratio === 'number' && ratio >= 0 && ratio <= 1)) {
    throw new InvalidArgumentError('minCleanableDirtyRatio', ratio, 'must be from 0 to 1')
  }
  if (maxCompactionLagMs >= 0 && minCompactionLagMs > maxCompactionLagMs) {
    const rule = 'must not be less than minCompactionLagMs'
    throw new InvalidArgumentError('maxCompactionLagMs', maxCompactionLagMs, rule)
  }
  return Object.freeze(resolved)
}

function checkCleanupPolicy(policy: unknown): void {
  const isKnown = (name: unknown): boolean => name === 'delete' || name === 'compact'
  if (Array.isArray(policy) && policy.every(isKnown)) return
  throw new InvalidArgumentError(
    'cleanupPolicy',
    policy,
    "must be a list of 'delete' and 'compact'",
  )
}
