import type { AcknowledgedRecord } from './writer-messages.ts'

/**
 * Everything that the writer has said to be on disk, kept where killing the writer cannot reach.
 */
export class Ledger {
  readonly #byOffset = new Map<number, AcknowledgedRecord>()
  readonly #latenciesMs: number[] = []
  #bytes = 0

  add(records: readonly AcknowledgedRecord[]): void {
    for (const record of records) {
      if (this.#byOffset.has(record.offset)) {
        throw new Error(`offset ${record.offset} was acknowledged twice`)
      }
      this.#byOffset.set(record.offset, record)
      this.#latenciesMs.push(record.latencyMs)
      this.#bytes += record.sizeBytes
    }
  }

  get count(): number {
    return this.#byOffset.size
  }

  /** Of values. */
  get bytes(): number {
    return this.#bytes
  }

  at(offset: number): AcknowledgedRecord | null {
    return this.#byOffset.get(offset) ?? null
  }

  /** The latency that `share` of the appends did not exceed. */
  latencyMs(share: number): number {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  }
}
