/** Rests shorter than this cost more than they give. */
const leastRestMs = 1

/**
 * How long workers rest beside others, for each log. Long rests hardly disturb whoever appends, but
 * a log that gets dirty faster than it is cleaned would grow without end: where at the end of a
 * compaction more than half as much is dirty again as there was, rests are halved, down to none;
 * where it is less than an eighth, they are doubled again.
 */
export class CleaningPace {
  readonly #restMsMax: number
  /** Of logs with shorter rests than the longest. */
  readonly #restMs = new Map<string, number>()

  /** @param restMsMax the longest rests, with which each log begins; 0 never rests */
  constructor(restMsMax: number) {
    this.#restMsMax = restMsMax
  }

  restMsOf(log: string): number {
    return this.#restMs.get(log) ?? this.#restMsMax
  }

  /** A log was compacted: what of it was dirty, and is by now. */
  compacted(log: string, dirtyBytes: number, dirtyAgainBytes: number): void {
    // It was compacted for something else, as records that had expired.
    if (dirtyBytes === 0) return
    const restMs = this.restMsOf(log)
    if (dirtyAgainBytes > dirtyBytes / 2) {
      this.#restMs.set(log, restMs / 2 < leastRestMs ? 0 : restMs / 2)
    } else if (dirtyAgainBytes < dirtyBytes / 8) {
      const longer = Math.max(leastRestMs, restMs * 2)
      if (longer < this.#restMsMax) this.#restMs.set(log, longer)
      else this.#restMs.delete(log)
    }
  }

  /** Of logs that are gone nothing is kept. */
  keepOnly(logs: ReadonlyMap<string, unknown>): void {
    for (const log of this.#restMs.keys()) if (!logs.has(log)) this.#restMs.delete(log)
  }
}
