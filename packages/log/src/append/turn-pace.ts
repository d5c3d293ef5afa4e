/** Appends that are told in one turn keep their callers busy for so many flushes. */
const flushesPerTurn = 2
/** How much of a new measurement goes into what is known. */
const weight = 1 / 8
/** The time of fewer appends is mostly that of the turn itself. */
const fewAppends = 32

/**
 * How many appends are told at once that they are durable. Told all together, callers that append
 * again all do so while the disk has nothing to do, and all wait while it flushes. Told in parts,
 * the first part's appends are flushed while the next part's are made. That pays where making the
 * appends takes longer than flushing them; otherwise it would only make more and smaller flushes.
 */
export class TurnPace {
  /** Milliseconds; NaN before the first measurement. */
  #flushMs = Number.NaN
  #appendMs = Number.NaN

  /**
   * A flush was noticed to be done after so long. While others had work, it may have been done
   * before: then it took so long at most.
   */
  flushed(durationMs: number, wasWaitedFor: boolean): void {
    if (!wasWaitedFor && !(durationMs < this.#flushMs)) return
    this.#flushMs = blend(this.#flushMs, durationMs)
  }

  /** So many appends were told, and the turn of who made them took so long. */
  turned(appends: number, durationMs: number): void {
    if (appends >= fewAppends) this.#appendMs = blend(this.#appendMs, durationMs / appends)
  }

  /** Appends to be told in one turn; infinity while too little is known. */
  get appendsPerTurn(): number {
    const appends = (flushesPerTurn * this.#flushMs) / this.#appendMs
    return appends > 0 ? appends : Number.POSITIVE_INFINITY
  }
}

function blend(known: number, measured: number): number {
  return Number.isNaN(known) ? measured : known + (measured - known) * weight
}
