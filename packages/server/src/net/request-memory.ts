import { MemoryBudget } from '../base/memory-budget.ts'
import { FramePool } from './frame-pool.ts'

/**
 * Memory that requests take between their coming and their answer, over all connections. Whoever
 * finds it full stops reading from its clients until there is room.
 */
export class RequestMemory extends MemoryBudget {
  /** What it lies in, and what answers lie in that are made in memory of a connection. */
  readonly frames: FramePool = new FramePool()
  readonly #heldBack = new Set<(reason: string) => void>()

  override take(bytes: number): void {
    super.take(bytes)
    if (!this.isFull || this.#heldBack.size === 0) return
    const [giveUp] = this.#heldBack
    if (giveUp === undefined) return
    this.#heldBack.delete(giveUp)
    giveUp('requests of clients that hold back take too much memory')
  }

  /**
   * Requests wait here of a client that has to hold back. Where all is full, whoever has done so
   * longest is given up for the others: its requests keep them from being read. What is returned
   * takes that back.
   */
  heldBack(giveUp: (reason: string) => void): () => void {
    this.#heldBack.add(giveUp)
    return () => this.#heldBack.delete(giveUp)
  }
}
