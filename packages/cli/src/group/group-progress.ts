import type { CommittedOffset } from '@varve/broker'
import type { PartitionLook } from '../stats/partition-looks.ts'

/** Looks for the ends of partitions. */
export interface EndLooks {
  look(topic: string, partition: number): Promise<Pick<PartitionLook, 'highWatermark' | 'error'>>
}

/** What has to be known of a group. */
export interface ProgressingGroup {
  /** By topic and partition. */
  readonly offsets: ReadonlyArray<Pick<CommittedOffset, 'topic' | 'partition' | 'offset'>>
}

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
  group: ProgressingGroup,
  looks: EndLooks,
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
