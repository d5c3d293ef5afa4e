import type { MemoryBudget } from '../base/memory-budget.ts'
import type { Turns } from '../base/turns.ts'
import type { PartitionReading } from './partition-reading.ts'

/** After so many bytes that were there at once, others have their turn at the event loop. */
const turnBytesMax = 2 * 2 ** 20

/** The partitions of one fetch, read one after the other until the answer is full. */
export class AnswerReading {
  readonly readings: readonly PartitionReading[]
  /** Of all of them together. */
  readonly maxBytes: number
  readonly #budget: MemoryBudget
  readonly #turns: Pick<Turns, 'next'>
  #leftBytes = 0

  /** @param budget what answers take that are being read */
  constructor(
    readings: readonly PartitionReading[],
    maxBytes: number,
    budget: MemoryBudget,
    turns: Pick<Turns, 'next'>,
  ) {
    this.readings = readings
    this.maxBytes = maxBytes
    this.#budget = budget
    this.#turns = turns
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
    this.#leftBytes = this.maxBytes
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
    let readBytes = 0
    for (let index = from; index < readings.length; index++) {
      const pause = this.#turns.next()
      if (pause !== undefined) return pause.then(() => this.#readFrom(index))
      const one = readings[index] as PartitionReading
      const isFirstWhole = this.#leftBytes === maxBytes
      const reading = one.read({ maxBytes: Math.max(0, this.#leftBytes), isFirstWhole })
      if (reading !== undefined) return reading.then(() => this.#readOn(one, index + 1))
      this.#leftBytes -= one.sizeBytes
      readBytes += one.readBytes
      if (readBytes >= turnBytesMax && index + 1 < readings.length) {
        return nextTurn().then(() => this.#readFrom(index + 1))
      }
    }
    return undefined
  }

  #readOn({ sizeBytes }: PartitionReading, next: number): Promise<void> | undefined {
    this.#leftBytes -= sizeBytes
    return this.#readFrom(next)
  }

  /** What it can come to, but for a first batch that is larger. */
  get #largestBytes(): number {
    const asked = this.readings.reduce((sum, { wanted }) => sum + Math.max(0, wanted.maxBytes), 0)
    return Math.min(asked, this.maxBytes)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
