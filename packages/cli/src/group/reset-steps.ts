import {
  type ResetTarget,
  type ResettableLog,
  resetOffset,
  type TopicPartition,
} from '@varve/broker'

/** What becomes of a group in a partition. */
export interface ResetStep extends TopicPartition {
  /** Null where nothing is. */
  readonly committedOffset: number | null
  readonly newOffset: number
}

/** What has to be known of the partitions. */
export interface ResetSource {
  /** Null where nothing is committed. */
  committed(place: TopicPartition): number | null
  withLog<Result>(
    place: TopicPartition,
    use: (log: ResettableLog) => Promise<Result>,
  ): Promise<Result>
}

export async function stepsOf(
  places: readonly TopicPartition[],
  target: ResetTarget,
  source: ResetSource,
): Promise<readonly ResetStep[]> {
  const steps: ResetStep[] = []
  for (const place of places) {
    const committedOffset = source.committed(place)
    const newOffset = await source.withLog(place, (log) =>
      resetOffset(target, log, committedOffset),
    )
    steps.push({ ...place, committedOffset, newOffset })
  }
  return steps
}

/** What offsets make of a group's partitions. */
export function committedAmong(
  offsets: ReadonlyArray<TopicPartition & { readonly offset: number }>,
): ResetSource['committed'] {
  const known = new Map(offsets.map((each) => [`${each.topic}:${each.partition}`, each.offset]))
  return ({ topic, partition }) => known.get(`${topic}:${partition}`) ?? null
}
