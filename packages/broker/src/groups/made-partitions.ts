import type { TopicPartition } from '../base/topic-partition.ts'

/** From so many topics on it is looked which of them are gone. */
const topicsKept = 1_000

/** When partitions were made, as far as that was seen. */
export class MadePartitions {
  readonly #partitionCount: (topic: string) => number
  /** By topic, at each partition's place, its age. */
  readonly #made = new Map<string, number[]>()
  #age = 0
  /** Twice as many as were left last time, so that looking costs each of them little. */
  #lookAt = topicsKept

  /** @param partitionCount 0 for a topic that is not there */
  constructor(partitionCount: (topic: string) => number) {
    this.#partitionCount = partitionCount
  }

  /** Goes up whenever partitions are made. */
  get age(): number {
    return this.#age
  }

  /** How many topics are remembered. */
  get size(): number {
    return this.#made.size
  }

  /** A topic has been made, or has more partitions: those from `first` on. */
  note(topic: string, first: number): void {
    this.#age += 1
    const ages = first === 0 ? [] : (this.#made.get(topic) ?? [])
    const count = this.#partitionCount(topic)
    for (let partition = first; partition < count; partition++) ages[partition] = this.#age
    this.#made.set(topic, ages)
    if (this.#made.size >= this.#lookAt) this.#forgetGone()
  }

  /** Whether a partition was made after that age: what is in it then was not there before. */
  wasMadeAfter(age: number, { topic, partition }: TopicPartition): boolean {
    return (this.#made.get(topic)?.[partition] ?? -1) > age
  }

  /** Topics come and go as long as the process lives. */
  #forgetGone(): void {
    for (const topic of this.#made.keys()) {
      if (this.#partitionCount(topic) === 0) this.#made.delete(topic)
    }
    this.#lookAt = Math.max(topicsKept, 2 * this.#made.size)
  }
}
