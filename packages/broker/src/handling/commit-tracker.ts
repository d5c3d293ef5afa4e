import type { Offset } from '@varve/record'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'

interface Progress extends TopicPartition {
  /** Offsets handed out and not done, in order. */
  readonly pending: Set<Offset>
  nextOffset: Offset
  /** What was given out to be committed last. */
  committed: Offset
}

/**
 * What may be committed while records are handled side by side: in each partition the first offset
 * that is not done, because everything below it is.
 */
export class CommitTracker {
  readonly #partitions = new Map<string, Progress>()

  /** A record is handed out. In each partition in the order of the log. */
  began({ topic, partition }: TopicPartition, offset: Offset): void {
    const name = partitionName({ topic, partition })
    let progress = this.#partitions.get(name)
    if (progress === undefined) {
      progress = { topic, partition, pending: new Set(), nextOffset: offset, committed: offset }
      this.#partitions.set(name, progress)
    }
    progress.pending.add(offset)
    progress.nextOffset = offset + 1
  }

  done(topicPartition: TopicPartition, offset: Offset): void {
    this.#partitions.get(partitionName(topicPartition))?.pending.delete(offset)
  }

  /** What has become committable since the last call. */
  takeCommittable(): CommittedOffset[] {
    const offsets: CommittedOffset[] = []
    for (const progress of this.#partitions.values()) {
      const { topic, partition, committed } = progress
      const offset = committableOf(progress)
      if (offset === committed) continue
      progress.committed = offset
      offsets.push({ topic, partition, offset })
    }
    return offsets
  }

  /** A commit failed: it is due again, with the next. */
  giveBack(offsets: readonly CommittedOffset[]): void {
    for (const each of offsets) {
      const progress = this.#partitions.get(partitionName(each))
      // Any offset that differs from the committable one makes it due.
      if (progress !== undefined) progress.committed = -1
    }
  }

  /** The partition is with somebody else now. */
  forget(topicPartition: TopicPartition): void {
    this.#partitions.delete(partitionName(topicPartition))
  }
}

/** Sets keep the order in which elements were added. */
function committableOf({ pending, nextOffset }: Progress): Offset {
  for (const first of pending) return first
  return nextOffset
}
