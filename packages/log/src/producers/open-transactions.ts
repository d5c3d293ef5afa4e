import type { Offset } from '@varve/record'

export interface OpenTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
}

/**
 * The transactions of a log whose fate is not settled, in two states: *ongoing*, without a marker
 * yet, and *decided*, with a marker that readers cannot see yet because it is not below the high
 * watermark. While either holds, readers of committed records must not pass the first offset.
 */
export class OpenTransactions {
  /** By first offset. New ones begin at the end of the log, so they are added at the end here. */
  readonly #ongoing: OpenTransaction[] = []
  /** By marker offset. */
  readonly #decided: { readonly firstOffset: Offset; readonly markerOffset: Offset }[] = []

  begin(transaction: OpenTransaction): void {
    const before = this.#ongoing.findLastIndex((it) => it.firstOffset <= transaction.firstOffset)
    this.#ongoing.splice(before + 1, 0, transaction)
  }

  /**
   * The producer's transaction got its marker. Returns the last stable offset just after it, high
   * watermark aside: where the first transaction of another producer begins, or behind the marker.
   */
  decide(transaction: OpenTransaction, markerOffset: Offset): Offset {
    const index = this.#ongoing.findIndex(
      (it) =>
        it.producerId === transaction.producerId && it.firstOffset === transaction.firstOffset,
    )
    if (index >= 0) this.#ongoing.splice(index, 1)
    this.#decided.push({ firstOffset: transaction.firstOffset, markerOffset })
    return this.#ongoing[0]?.firstOffset ?? markerOffset + 1
  }

  /** Forgets the decided transactions whose markers are below the high watermark. */
  advanceHighWatermark(highWatermark: Offset): void {
    const decided = this.#decided
    if ((decided[0]?.markerOffset ?? highWatermark) >= highWatermark) return
    const first = decided.findIndex((it) => it.markerOffset >= highWatermark)
    decided.splice(0, first < 0 ? decided.length : first)
  }

  /** The smallest first offset of all of them, null when nothing is unsettled. */
  get firstOffset(): Offset | null {
    let first = this.#ongoing[0]?.firstOffset ?? null
    for (const { firstOffset } of this.#decided) {
      if (first === null || firstOffset < first) first = firstOffset
    }
    return first
  }

  get ongoing(): readonly OpenTransaction[] {
    return this.#ongoing
  }

  clear(): void {
    this.#ongoing.length = 0
    this.#decided.length = 0
  }
}
