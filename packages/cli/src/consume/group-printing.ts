import type { CommittedOffset, ConsumerRecord } from '@varve/broker'
import type { Clock, Timer } from '@varve/log'
import type { RecordOutput } from './record-output.ts'

export interface GroupPrintingOptions {
  readonly output: RecordOutput
  readonly clock: Clock
  readonly commit: (offsets: readonly CommittedOffset[]) => Promise<void>
  /** Whether records say which partition they are of. @defaultValue true */
  readonly tellsPartition?: boolean
  /** Told, once, what kept it from printing or committing while nobody waited for it. */
  readonly onFailure: (error: unknown) => void
}

/** What is gathered waits no longer than that for the rest of its block. */
const flushIntervalMs = 100
const commitIntervalMs = 3000

/**
 * Prints records of a group's partitions, and commits those that were printed: only then, so that
 * none is passed over when the reader of the output goes away.
 */
export class GroupPrinting {
  readonly #options: GroupPrintingOptions
  /** The next offset of each partition, behind what was handed over. */
  #taken = new Map<number, CommittedOffset>()
  /** Behind what was printed and is not committed yet. */
  readonly #printed = new Map<number, CommittedOffset>()
  #lastCommitMs: number
  #timer: Timer | null = null
  #isEnded = false

  constructor(options: GroupPrintingOptions) {
    this.#options = options
    this.#lastCommitMs = options.clock.monotonic()
    this.#schedule()
  }

  get isFull(): boolean {
    return this.#options.output.isFull
  }

  /** Only gathers, see `isFull` and `flush`. */
  add(record: ConsumerRecord): void {
    const { topic, partition, offset, leaderEpoch } = record
    const { output, tellsPartition = true } = this.#options
    if (tellsPartition) output.add(record, partition)
    else output.add(record)
    this.#taken.set(partition, { topic, partition, offset: offset + 1, leaderEpoch })
  }

  /** Rejects with ClosedPipeError. */
  async flush(): Promise<void> {
    const taken = this.#taken
    this.#taken = new Map()
    await this.#options.output.flush()
    for (const [partition, place] of taken) this.#printed.set(partition, place)
  }

  /** Prints what was handed over, and commits it. */
  async settle(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#commit()
    }
  }

  /** Stops printing and committing by itself. */
  end(): void {
    this.#isEnded = true
    this.#timer?.cancel()
  }

  async #commit(): Promise<void> {
    this.#lastCommitMs = this.#options.clock.monotonic()
    const offsets = [...this.#printed.values()]
    this.#printed.clear()
    if (offsets.length > 0) await this.#options.commit(offsets)
  }

  #schedule(): void {
    const tick = (): void => {
      const isDue = this.#options.clock.monotonic() - this.#lastCommitMs >= commitIntervalMs
      const work = isDue ? this.settle() : this.flush()
      work.then(
        () => {
          if (!this.#isEnded) this.#schedule()
        },
        (error: unknown) => {
          if (!this.#isEnded) this.#options.onFailure(error)
        },
      )
    }
    // Nothing else may keep a process alive that waits for more records.
    const { clock } = this.#options
    this.#timer = clock.setTimer(flushIntervalMs, tick, { keepsAlive: true })
  }
}
