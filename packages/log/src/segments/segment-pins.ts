import { strict as assert } from 'node:assert'

/**
 * Files that must stay where they are for a while, by path: the segments of a snapshot. A segment
 * that leaves the log meanwhile is let go of when its last pin is released.
 */
export class SegmentPins {
  readonly #counts = new Map<string, number>()
  readonly #whenFree = new Map<string, () => void>()

  pin(path: string): { release(): void } {
    this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1)
    let isHeld = true
    return {
      release: () => {
        if (!isHeld) return
        isHeld = false
        this.#release(path)
      },
    }
  }

  isPinned(path: string): boolean {
    return this.#counts.has(path)
  }

  /** Calls back once nobody has the path pinned: at once, when nobody has. */
  whenFree(path: string, callback: () => void): void {
    if (!this.isPinned(path)) {
      callback()
      return
    }
    assert(!this.#whenFree.has(path), 'a segment leaves the log once')
    this.#whenFree.set(path, callback)
  }

  #release(path: string): void {
    const count = (this.#counts.get(path) ?? 0) - 1
    if (count > 0) {
      this.#counts.set(path, count)
      return
    }
    this.#counts.delete(path)
    const callback = this.#whenFree.get(path)
    this.#whenFree.delete(path)
    callback?.()
  }
}
