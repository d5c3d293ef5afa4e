/**
 * Memory that many take for a while. What is taken is counted, not held up: whoever finds it full
 * begins nothing new until there is room.
 */
export class MemoryBudget {
  readonly limitBytes: number
  #usedBytes = 0
  readonly #waiting = new Set<() => void>()

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get isFull(): boolean {
    return this.#usedBytes >= this.limitBytes
  }

  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes
    if (this.isFull || this.#waiting.size === 0) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const callback of waiting) callback()
  }

  /** Calls back once when there is room again; what it returns takes that back. */
  onRoom(callback: () => void): () => void {
    this.#waiting.add(callback)
    return () => this.#waiting.delete(callback)
  }
}
