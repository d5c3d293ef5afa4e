import type { Acks, Log } from '@varve/log'
import type { CompressionType, RecordInput } from '@varve/record'

/** What has been acknowledged so far. */
export interface Acknowledged {
  readonly records: number
  /** Of keys and values. */
  readonly bytes: number
  readonly firstOffset: number | null
  readonly lastOffset: number | null
}

export interface AppendWindowOptions {
  readonly acks: Acks
  readonly compressionType: CompressionType
}

/** Appends under way at a time: enough to keep a disk busy while the next are read. */
const appendsMax = 32

/**
 * Appends groups of records, several at a time, and counts what is acknowledged, in order. The
 * first failure stops it: whatever was appended behind it does not count.
 */
export class AppendWindow {
  readonly #log: Log
  readonly #options: AppendWindowOptions
  readonly #underWay: Array<Promise<void>> = []
  readonly #startOffset: number
  #failure: { readonly error: unknown } | null = null
  #records = 0
  #bytes = 0
  #firstOffset: number | null = null
  #lastOffset: number | null = null

  constructor(log: Log, options: AppendWindowOptions) {
    this.#log = log
    this.#options = options
    this.#startOffset = log.logEndOffset
  }

  get acknowledged(): Acknowledged {
    return {
      records: this.#records,
      bytes: this.#bytes,
      firstOffset: this.#firstOffset,
      lastOffset: this.#lastOffset,
    }
  }

  /** Resolves when there is room for more. Rejects with the first failure. */
  async append(records: readonly RecordInput[], bytes: number): Promise<void> {
    // What waits for the acknowledgement must not keep the records in memory: the log has them.
    const count = records.length
    const appended = this.#log.append(records, this.#options).then(
      ({ baseOffset, lastOffset }) => this.#count(count, bytes, baseOffset, lastOffset),
      (error: unknown) => {
        this.#failure ??= { error }
      },
    )
    this.#underWay.push(appended)
    if (this.#underWay.length >= appendsMax) await this.#underWay.shift()
    this.#throwFailure()
  }

  /** Resolves when everything has been acknowledged. Rejects with the first failure. */
  async settle(): Promise<void> {
    for (const appended of this.#underWay.splice(0)) await appended
    this.#throwFailure()
  }

  #count(records: number, bytes: number, baseOffset: number, lastOffset: number): void {
    if (this.#failure !== null) return
    this.#records += records
    this.#bytes += bytes
    // An append that waits for nothing does not learn its offsets; nobody else appends here.
    const isKnown = baseOffset >= 0
    this.#firstOffset ??= isKnown ? baseOffset : this.#startOffset
    this.#lastOffset = isKnown ? lastOffset : this.#startOffset + this.#records - 1
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}
