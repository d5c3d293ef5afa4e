import { InvalidArgumentError, type Offset } from '@varve/record'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from './committed-offsets.ts'
import type { FedRecord, PartitionFeed } from './partition-feed.ts'

/** Where a consumer is in a partition. */
export interface PartitionLag extends TopicPartition {
  /** Of the next record. */
  readonly position: Offset
  /** Where the records end that it may see now. */
  readonly endOffset: Offset
  /** Offsets between the two: records, except where compaction or markers have left gaps. */
  readonly lag: number
}

/** A partition that a consumer has. */
export interface Held {
  readonly place: TopicPartition
  readonly feed: PartitionFeed
  /** Everything before it has been handed out, and the program has asked for more since. */
  done: Offset
  /** The last offset that was committed. */
  committed: Offset | null
  /** Where it began to read. */
  readonly from: Offset
}

/** So many records of a partition, then it is the next one's turn. */
const recordsPerTurn = 256

/** The partitions of a consumer, which take turns. */
export class HeldPartitions {
  readonly #held = new Map<string, Held>()
  #rotation: readonly Held[] = []
  #turn = 0
  #takenInTurn = 0

  get all(): readonly Held[] {
    return this.#rotation
  }

  /** Those of these that it has. */
  of(partitions: readonly TopicPartition[]): readonly Held[] {
    return partitions.flatMap((place) => this.#held.get(partitionName(place)) ?? [])
  }

  /** Throws InvalidArgumentError when it does not have it. */
  mustHave(place: TopicPartition): Held {
    const held = this.#held.get(partitionName(place))
    if (held !== undefined) return held
    const rule = 'the consumer does not have this partition now'
    throw new InvalidArgumentError('partition', partitionName(place), rule)
  }

  add(added: readonly Held[]): void {
    for (const held of added) this.#held.set(partitionName(held.place), held)
    this.#rotation = [...this.#held.values()]
  }

  remove(removed: readonly Held[]): void {
    for (const { place } of removed) this.#held.delete(partitionName(place))
    this.#rotation = [...this.#held.values()]
  }

  /**
   * A record of the partition whose turn it is, or of the next one that has one; null when none
   * has. Throws the failure of a partition that cannot be read.
   */
  take(now: number): (FedRecord & { readonly held: Held }) | null {
    if (this.#takenInTurn >= recordsPerTurn) this.#nextTurn()
    const { length } = this.#rotation
    for (let tried = 0; tried < length; tried++) {
      const held = this.#rotation[this.#turn % length] as Held
      if (!held.feed.isPaused) {
        const taken = held.feed.take(now)
        if (taken !== null) {
          this.#takenInTurn++
          return { held, record: taken.record, leaderEpoch: taken.leaderEpoch }
        }
        if (held.feed.failure !== null) throw held.feed.failure
      }
      this.#nextTurn()
    }
    return null
  }

  /** What has been handed out, where that is not what was committed. */
  uncommitted(): readonly CommittedOffset[] {
    return this.all
      .filter(({ feed, committed }) => feed.position !== committed)
      .map(({ place, feed }) => ({ ...place, offset: feed.position }))
  }

  /** Whether nothing was handed out since the last commits, or ever. */
  get areCommitted(): boolean {
    return this.all.every(({ feed, committed, from }) => feed.position === (committed ?? from))
  }

  lag(): readonly PartitionLag[] {
    return this.#rotation.map(({ place: { topic, partition }, feed }) => {
      const { position, endOffset } = feed
      return { topic, partition, position, endOffset, lag: Math.max(0, endOffset - position) }
    })
  }

  #nextTurn(): void {
    this.#turn = (this.#turn + 1) % Math.max(this.#rotation.length, 1)
    this.#takenInTurn = 0
  }
}
