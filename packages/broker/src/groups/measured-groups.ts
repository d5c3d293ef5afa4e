import type { Offset } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { MeasuredGroup } from '../metrics/measured.ts'
import type { OffsetStore } from './offset-store.ts'

/**
 * How far each group has come in each partition, as metrics show it.
 *
 * @param highWatermarkOf null for a partition that is not there
 */
export function* measuredGroups(
  stores: readonly Pick<OffsetStore, 'groups' | 'offsets'>[],
  highWatermarkOf: (place: TopicPartition) => Offset | null,
): Generator<MeasuredGroup, void, undefined> {
  for (const store of stores) {
    for (const group of store.groups) {
      for (const { topic, partition, offset } of store.offsets(group)) {
        const highWatermark = highWatermarkOf({ topic, partition })
        if (highWatermark === null) continue
        const lag = Math.max(0, highWatermark - offset)
        yield { group, topic, partition, committedOffset: offset, lag }
      }
    }
  }
}
