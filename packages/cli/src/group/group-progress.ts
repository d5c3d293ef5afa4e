import type { ListedGroup } from '@varve/broker'
import type { Looks } from '../stats/partition-looks.ts'

/** How far a group has come in a partition. */
export interface PartitionProgress {
  readonly topic: string
  readonly partition: number
  /** Where it goes on. */
  readonly committedOffset: number
  /** The offset after the last visible record; null where the partition cannot be read. */
  readonly endOffset: number | null
  /** Records between the two. */
  readonly lag: number | null
}

export async function progressOf(
  group: ListedGroup,
  looks: Looks,
): Promise<readonly PartitionProgress[]> {
  const all: PartitionProgress[] = []
  for (const { topic, partition, offset: committedOffset } of group.offsets) {
    const { highWatermark, error } = await looks.look(topic, partition)
    const endOffset = error === null ? highWatermark : null
    const lag = endOffset === null ? null : Math.max(0, endOffset - committedOffset)
    all.push({ topic, partition, committedOffset, endOffset, lag })
  }
  return all
}

/** Over the partitions that can be read. */
export function sumOfLags(progress: readonly PartitionProgress[]): number {
  return progress.reduce((sum, { lag }) => sum + (lag ?? 0), 0)
}
