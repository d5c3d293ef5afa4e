import type { Offset } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { ConsumerGroupRecord } from './consumer/consumer-group-record.ts'
import { ConsumerGroupState } from './consumer/consumer-group-state.ts'
import type { GroupMetadata } from './group-metadata.ts'
import type { OffsetCommitValue } from './offset-commit.ts'

/** What a group has committed of one partition. */
export interface StoredOffset extends TopicPartition, OffsetCommitValue {
  /** Where the commit stands in `__consumer_offsets`. */
  readonly recordOffset: Offset
}

/** One group of an offset store: its offsets and what is known of its members. */
export class GroupOffsets {
  readonly name: string
  metadata: GroupMetadata | null = null
  #consumers: ConsumerGroupState | null = null
  readonly #committed = new Map<string, StoredOffset>()
  /** By producer id: committed if its transaction is. */
  readonly #pending = new Map<number, Map<string, StoredOffset>>()

  constructor(name: string) {
    this.name = name
  }

  get isEmpty(): boolean {
    const hasMembers = this.metadata !== null || this.#consumers !== null
    return !hasMembers && this.#committed.size === 0 && this.#pending.size === 0
  }

  /** As the consumer protocol (KIP-848) has it; null where it is none of that kind. */
  get consumers(): ConsumerGroupState | null {
    return this.#consumers
  }

  applyConsumers(record: ConsumerGroupRecord): void {
    this.#consumers ??= new ConsumerGroupState()
    this.#consumers.apply(record)
    if (this.#consumers.isGone) this.#consumers = null
  }

  get hasPending(): boolean {
    return this.#pending.size > 0
  }

  committed(topic: string, partition: number): StoredOffset | null {
    return this.#committed.get(keyOf({ topic, partition })) ?? null
  }

  all(): StoredOffset[] {
    return [...this.#committed.values()]
  }

  /** Of which something is committed, or is by an open transaction; of one topic, or of all. */
  partitions(topic: string | null = null): TopicPartition[] {
    const known = new Map(this.#committed)
    for (const pending of this.#pending.values()) {
      for (const [key, commit] of pending) known.set(key, commit)
    }
    const all = [...known.values()]
    return topic === null ? all : all.filter((each) => each.topic === topic)
  }

  /** Whether an open transaction may change this partition's offset. */
  isPending(topic: string, partition: number): boolean {
    const key = keyOf({ topic, partition })
    for (const pending of this.#pending.values()) if (pending.has(key)) return true
    return false
  }

  set(commit: StoredOffset): void {
    this.#committed.set(keyOf(commit), commit)
  }

  /** Also what an open transaction has brought before: its commit does not bring it back. */
  remove(topicPartition: TopicPartition): void {
    const key = keyOf(topicPartition)
    this.#committed.delete(key)
    for (const pending of this.#pending.values()) pending.delete(key)
  }

  setPending(producerId: number, commit: StoredOffset): void {
    let pending = this.#pending.get(producerId)
    if (pending === undefined) {
      pending = new Map()
      this.#pending.set(producerId, pending)
    }
    pending.set(keyOf(commit), commit)
  }

  /**
   * Ends a producer's transaction. A commit that was appended after the transactional one stands,
   * whichever ended last: the order of the log decides, as in Kafka.
   */
  endTransaction(producerId: number, isCommitted: boolean): void {
    const pending = this.#pending.get(producerId)
    this.#pending.delete(producerId)
    if (pending === undefined || !isCommitted) return
    for (const [key, commit] of pending) {
      const standing = this.#committed.get(key)
      if (standing === undefined || standing.recordOffset < commit.recordOffset) {
        this.#committed.set(key, commit)
      }
    }
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`
}
