import { partitionName, type TopicPartition } from '../base/topic-partition.ts'

/** When partitions were made, as far as that was seen. */
export class MadePartitions {
  readonly #made = new Map<string, number>()
  #age = 0

  /** Goes up whenever partitions are made. */
  get age(): number {
    return this.#age
  }

  /** A topic has been made, or has more partitions: from `first` on, so many in all. */
  note(topic: string, first: number, count: number): void {
    this.#age += 1
    for (let partition = first; partition < count; partition++) {
      this.#made.set(partitionName({ topic, partition }), this.#age)
    }
  }

  /** Whether a partition was made after that age: what is in it then was not there before. */
  wasMadeAfter(age: number, place: TopicPartition): boolean {
    return (this.#made.get(partitionName(place)) ?? -1) > age
  }
}
