import { FramePool } from './frame-pool.ts'

/**
 * Memory that requests take between their coming and their answer, over all connections. Whoever
 * finds it full stops reading from its clients until there is room.
 */
export class RequestMemory {
  readonly limitBytes: number
  /** What it lies in. */
  readonly frames: FramePool = new FramePool()
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

  /** What has come has come: it is counted, and who reads looks at `isFull` afterwards. */
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
