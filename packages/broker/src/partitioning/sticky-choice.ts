/**
 * Where records without a key go (Kafka's KIP-480): all to one partition until its batch is sent,
 * then to another one, drawn at random. So they share batches, and over time all partitions get the
 * same.
 */
export class StickyChoice {
  readonly #random: () => number
  #current = -1

  /** @param random 0 to 1 */
  constructor(random: () => number) {
    this.#random = random
  }

  /** The partition for the next record, of those that `isUsable`; of all where none is. */
  choose(partitions: number, isUsable: (partition: number) => boolean): number {
    if (this.#current < 0 || this.#current >= partitions) this.#draw(partitions, isUsable)
    return this.#current
  }

  /** A batch of this partition has been sent: if it is the current one, draws another. */
  sent(partition: number, partitions: number, isUsable: (partition: number) => boolean): void {
    if (partition === this.#current && partitions > 1) this.#draw(partitions, isUsable)
  }

  #draw(partitions: number, isUsable: (partition: number) => boolean): void {
    const all = Array.from({ length: partitions }, (_, partition) => partition)
    const usable = all.filter(isUsable)
    const candidates = usable.length > 0 ? usable : all
    const others = candidates.filter((partition) => partition !== this.#current)
    const choices = others.length > 0 ? others : candidates
    this.#current = choices[Math.floor(this.#random() * choices.length)] ?? 0
  }
}
