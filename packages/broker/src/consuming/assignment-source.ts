import type { TopicPartition } from '../base/topic-partition.ts'

/**
 * Where a consumer's partitions come from: a list that its program gave, the topics that it named,
 * or its place in a group.
 *
 * A source gives and takes partitions by calling the owner, one call at a time: the next only when
 * the promise of the last has settled.
 */
export interface AssignmentSource {
  /**
   * Begins. Called once, when the consumer is first asked for records. Resolves when the source has
   * made its first assignment, or has none to make yet. Rejects with what makes consuming
   * impossible (a topic that is not there).
   */
  start(owner: PartitionOwner): Promise<void>
  /**
   * The consumer's program has asked for its next record: it is alive, and done with those before.
   * Called often; must be cheap, and must not throw.
   */
  polled(): void
  /** A record has been given to the program, which is busy with it until `polled`. Cheap too. */
  delivered(): void
  /** A handler of `run` has settled, if `handlingSinceMs` of the owner tells of them. Cheap too. */
  settled?(): void
  /** Gives everything back and ends. Calls the owner no more. Idempotent. */
  close(): Promise<void>
}

/** What a source may do with the consumer that it serves. */
export interface PartitionOwner {
  /**
   * The consumer has these too from now on, beginning at their committed offsets, or where it is
   * told to begin without. Those that it has already are left as they are.
   *
   * @param areNew whether the partitions have just been made, so that nothing in them may be passed
   *   over. @defaultValue false
   */
  assign(partitions: readonly TopicPartition[], areNew?: boolean): Promise<void>
  /**
   * The consumer must let go of these. Resolves when it will deliver no more records of them and
   * has committed what it wanted to; whoever gets them next may begin.
   */
  revoke(partitions: readonly TopicPartition[]): Promise<void>
  /**
   * These belong to somebody else already: nothing of them is delivered or committed any more.
   */
  lose(partitions: readonly TopicPartition[]): void
  /**
   * Since when the handler has been running that has run longest, by the monotonic clock; null when
   * none runs. Undefined where there are no handlers: then `polled` and `delivered` say it.
   */
  handlingSinceMs?(): number | null | undefined
  /** Consuming cannot go on: the consumer's program gets the error with its next record. */
  fail(error: unknown): void
}
