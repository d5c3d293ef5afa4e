import type { RecordInput } from '@varve/record'
import type { Appended, AppendTarget } from './append-target.ts'

/** What has been acknowledged so far. */
export interface Acknowledged {
  readonly records: number
  /** Of keys and values. */
  readonly bytes: number
  /** In their order. */
  readonly partitions: readonly Appended[]
}

/** Appends under way at a time: enough to keep a disk busy while the next are read. */
const appendsMax = 32

/**
 * Appends groups of records, several at a time, and counts what is acknowledged, in order. The
 * first failure stops it: whatever was appended behind it does not count.
 */
export class AppendWindow {
  readonly #target: AppendTarget
  readonly #underWay: Array<Promise<void>> = []
  readonly #partitions = new Map<number, Appended>()
  #failure: { readonly error: unknown } | null = null
  #records = 0
  #bytes = 0

  constructor(target: AppendTarget) {
    this.#target = target
  }

  get acknowledged(): Acknowledged {
    const partitions = [...this.#partitions.values()].sort((one, other) => {
      return one.partition - other.partition
    })
    return { records: this.#records, bytes: this.#bytes, partitions }
  }

  /** Resolves when there is room for more. Rejects with the first failure. */
  async append(records: readonly RecordInput[], bytes: number): Promise<void> {
    const appended = this.#target.append(records).then(
      (places) => this.#count(bytes, places),
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

  #count(bytes: number, places: readonly Appended[]): void {
    if (this.#failure !== null) return
    this.#bytes += bytes
    for (const place of places) {
      this.#records += place.records
      const before = this.#partitions.get(place.partition)
      const records = place.records + (before?.records ?? 0)
      const firstOffset = before === undefined ? place.firstOffset : before.firstOffset
      this.#partitions.set(place.partition, { ...place, records, firstOffset })
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}
