/** So few bytes are always read on the event loop: the hop through the thread pool takes longer. */
const alwaysBytesMax = 64 * 1024
/** What is larger keeps others waiting too long: out of the page cache this takes some 0.3 ms. */
const bytesMax = 1280 * 1024
/** What takes longer has waited for a disk. */
const slowMs = 2
/** After a slow read so many times its time goes by until the next is tried. */
const restFactor = 20

/**
 * Which reads are made on the event loop. Out of the page cache that costs two thirds of what the
 * same bytes cost through the thread pool: they stay in the processor that sends them on. Whether
 * they are there only shows when they are read; after a read that had to wait, larger ones are left
 * to the thread pool for a while, so that a disk holds up the loop for at most a twentieth of the
 * time.
 */
export class LoopReads {
  #restsUntilMs = Number.NEGATIVE_INFINITY

  /** @param nowMs monotonic */
  allows(bytes: number, nowMs: number): boolean {
    return bytes <= alwaysBytesMax || (bytes <= bytesMax && nowMs >= this.#restsUntilMs)
  }

  /** One was made, between these monotonic times. */
  made(fromMs: number, nowMs: number): void {
    const tookMs = nowMs - fromMs
    if (tookMs > slowMs) this.#restsUntilMs = nowMs + restFactor * tookMs
  }
}
