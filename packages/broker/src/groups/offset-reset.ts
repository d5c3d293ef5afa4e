import { InvalidArgumentError, type Offset, type Timestamp } from '@varve/record'

/** Where a group is set to, in each partition. */
export type ResetTarget =
  | 'earliest'
  | 'latest'
  | { readonly offset: Offset }
  /** The first record of at least this timestamp; the end where there is none. */
  | { readonly timestamp: Timestamp }
  /** So many records on from what is committed, or back where negative. */
  | { readonly shiftBy: number }

/** What has to be known of a partition. */
export interface ResettableLog {
  readonly logStartOffset: Offset
  readonly highWatermark: Offset
  /** The first record of at least a timestamp; null where there is none. */
  offsetForTimestamp(timestamp: Timestamp): Promise<{ readonly offset: Offset } | null>
}

/**
 * The offset to commit for a partition so that its group goes on at the target. Never outside the
 * records that are there: an offset before or behind them becomes their start or end, as Kafka's
 * kafka-consumer-groups does it.
 *
 * @param committed what the group has committed; null where nothing
 */
export async function resetOffset(
  target: ResetTarget,
  log: ResettableLog,
  committed: Offset | null,
): Promise<Offset> {
  const { logStartOffset, highWatermark } = log
  const within = (offset: Offset): Offset =>
    Math.min(Math.max(offset, logStartOffset), highWatermark)
  if (target === 'earliest') return logStartOffset
  if (target === 'latest') return highWatermark
  if ('timestamp' in target) {
    const found = await log.offsetForTimestamp(target.timestamp)
    return found === null ? highWatermark : within(found.offset)
  }
  if ('offset' in target) return within(target.offset)
  if (committed === null) {
    const rule = 'nothing is committed that could be shifted'
    throw new InvalidArgumentError('shiftBy', target.shiftBy, rule)
  }
  return within(committed + target.shiftBy)
}
