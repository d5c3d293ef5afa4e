import type { MemoryBudget } from '../base/memory-budget.ts'
import type { PartitionReading } from './partition-reading.ts'

/** The partitions of one fetch, read one after the other until the answer is full. */
export class AnswerReading {
  readonly readings: readonly PartitionReading[]
  /** Of all of them together. */
  readonly maxBytes: number
  readonly #budget: MemoryBudget

  /** @param budget what answers take that are being read */
  constructor(readings: readonly PartitionReading[], maxBytes: number, budget: MemoryBudget) {
    this.readings = readings
    this.maxBytes = maxBytes
    this.#budget = budget
  }

  /** What has been read. */
  get sizeBytes(): number {
    return this.readings.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  /**
   * Reads, all anew; a promise where it takes time. What can be had at once costs no room: it is on
   * its way to the client before anybody else reads.
   */
  read(): Promise<void> | undefined {
    if (this.#budget.isFull) return this.#readLater()
    const reading = this.#readFrom(0)
    if (reading === undefined) return undefined
    const bytes = this.#largestBytes
    this.#budget.take(bytes)
    return reading.finally(() => this.#budget.giveBack(bytes))
  }

  async #readLater(): Promise<void> {
    while (this.#budget.isFull) {
      await new Promise<void>((resolve) => this.#budget.onRoom(resolve))
    }
    await this.read()
  }

  #readFrom(from: number): Promise<void> | undefined {
    const { readings, maxBytes } = this
    let leftBytes = maxBytes
    for (let index = 0; index < from; index++) leftBytes -= readings[index]?.sizeBytes ?? 0
    let isAnyRead = leftBytes < maxBytes
    for (let index = from; index < readings.length; index++) {
      const one = readings[index] as PartitionReading
      const limit = { maxBytes: Math.max(0, leftBytes), isFirstWhole: !isAnyRead }
      const reading = one.read(limit)
      if (reading !== undefined) return reading.then(() => this.#readFrom(index + 1))
      leftBytes -= one.sizeBytes
      isAnyRead ||= one.sizeBytes > 0
    }
    return undefined
  }

  /** What it can come to, but for a first batch that is larger. */
  get #largestBytes(): number {
    const asked = this.readings.reduce((sum, { wanted }) => sum + Math.max(0, wanted.maxBytes), 0)
    return Math.min(asked, this.maxBytes)
  }
}
