/** So few bytes are always read on the event loop: the hop through the thread pool takes longer. */
const alwaysBytesMax = 64 * 1024
/** What is larger keeps others waiting too long: out of the page cache this takes some 0.3 ms. */
const bytesMax = 1280 * 1024
/** What takes longer has waited for a disk, or for a processor that others have. */
const slowMs = 2
/** After a slow read so many times its time goes by until the next is tried. */
const restFactor = 20

/**
 * Which reads are made on the event loop. Out of the page cache that costs two thirds of what the
 * same bytes cost through the thread pool: they stay in the processor that sends them on. Whether
 * they are there only shows when they are read; after a read that had to wait, larger ones are left
 * to the thread pool for a while, so that a disk holds up the loop for at most a twentieth of the
 * time. A read that only lost its processor to somebody else is none of those, where the system
 * tells the two apart: beside a busy client most slow ones are such, and the thread pool, which
 * needs the processors as well, would make it worse.
 */
export class LoopReads {
  readonly #waits: () => number | null
  #restsUntilMs = Number.NEGATIVE_INFINITY
  #fromMs = 0
  #waitsBefore: number | null = null

  /** @param waits how often this process has waited so far; null where nobody knows */
  constructor(waits: () => number | null = () => null) {
    this.#waits = waits
  }

  /** @param nowMs monotonic */
  allows(bytes: number, nowMs: number): boolean {
    return bytes <= alwaysBytesMax || (bytes <= bytesMax && nowMs >= this.#restsUntilMs)
  }

  /** One of so many bytes begins. */
  begin(bytes: number, nowMs: number): void {
    this.#fromMs = nowMs
    // Asking takes as long as a small read, and those are rarely interrupted.
    this.#waitsBefore = bytes > alwaysBytesMax ? this.#waits() : null
  }

  /** It has ended. */
  end(nowMs: number): void {
    const tookMs = nowMs - this.#fromMs
    if (tookMs <= slowMs || this.#hasOnlyLostProcessor()) return
    this.#restsUntilMs = nowMs + restFactor * tookMs
  }

  /** Another thread may have waited meanwhile: then it counts as this one's. */
  #hasOnlyLostProcessor(): boolean {
    return this.#waitsBefore !== null && this.#waits() === this.#waitsBefore
  }
}
