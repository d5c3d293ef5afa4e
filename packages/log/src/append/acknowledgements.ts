import { logChannels } from '../base/diagnostics.ts'
import type { LogState } from './log-state.ts'
import type { PlacedBatch } from './placement.ts'

/**
 * Batches on their way back to who appended them, in the order of their offsets. A batch becomes
 * visible when it has reached what was asked for; its callers may be told a little later, some at a
 * time, so that what they do next overlaps with the flush of what others did.
 */
export class Acknowledgements {
  readonly #state: LogState
  /** Reached, and not told yet; those before `#told` are. */
  #batches: PlacedBatch[] = []
  #told = 0

  constructor(state: LogState) {
    this.#state = state
  }

  /** Whether everybody has been told. */
  get isEmpty(): boolean {
    return this.#told === this.#batches.length
  }

  /**
   * Makes batches visible: with `written` up to the first append that asks to be flushed, with
   * `flushed` all that are left. Takes them out of `placed`.
   */
  reach(placed: PlacedBatch[], reached: 'written' | 'flushed'): void {
    let count = placed.length
    if (reached === 'written') {
      const first = placed.findIndex(({ queued }) => queued.waiters.asksToBeFlushed)
      if (first >= 0) count = first
    }
    if (count === 0) return
    const batches = placed.splice(0, count)
    const firstOffset = this.#state.offsets.highWatermark
    const last = batches.findLast((batch) => !batch.isDuplicate)
    if (last !== undefined) this.#state.makeVisible(last.lastOffset + 1, last.end)
    if (this.isEmpty) {
      this.#batches = batches
      this.#told = 0
    } else {
      this.#batches.push(...batches)
    }
    if (!logChannels.append.hasSubscribers) return
    const nextOffset = this.#state.offsets.highWatermark
    const appends = batches.reduce((sum, { queued }) => sum + queued.waiters.size, 0)
    logChannels.append.publish({ log: this.#state.name, appends, firstOffset, nextOffset })
  }

  /** Tells whole batches until so many appends have been told, or all; returns how many were. */
  tell(appendsMax: number): number {
    let appends = 0
    while (appends < appendsMax) {
      const batch = this.#batches[this.#told]
      if (batch === undefined) break
      this.#told++
      const { waiters } = batch.queued
      appends += waiters.size
      if (batch.isDuplicate) waiters.resolveAsDuplicate(batch.baseOffset, batch.lastOffset)
      else waiters.resolve(batch.baseOffset)
    }
    return appends
  }

  /** Tells everybody. */
  tellAll(): void {
    this.tell(Number.POSITIVE_INFINITY)
  }
}
