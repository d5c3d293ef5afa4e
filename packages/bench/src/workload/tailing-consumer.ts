import type { Consumer, ConsumerRecord } from '@varve/broker'
import { type Clock, systemClock } from '@varve/log'
import { BenchFailedError } from './bench-errors.ts'
import { dueHeader } from './producing-load.ts'
import type { RunGauges } from './run-gauges.ts'

/** How long records are waited for when the last of them has been sent. */
const patienceMs = 30_000

/**
 * Reads records as they arrive, and takes note of how long after they were due that was. Its clock
 * is the one by which they are dated, in this process or another of the same machine.
 */
export class TailingConsumer implements AsyncDisposable {
  readonly #consumer: Consumer
  readonly #clock: Clock
  readonly #gauges: RunGauges
  #received = 0
  #expected: number | null = null
  #reading: Promise<void> | null = null
  #onComplete: () => void = () => undefined

  constructor(consumer: Consumer, clock: Clock, gauges: RunGauges) {
    this.#consumer = consumer
    this.#clock = clock
    this.#gauges = gauges
  }

  /** Resolves when records that are sent from now on will be seen. */
  async start(): Promise<void> {
    await this.#consumer.start()
    this.#reading = this.#read()
    // Told to whoever waits for the records.
    this.#reading.catch(() => undefined)
  }

  /**
   * Resolves when so many counted records have arrived. Rejects with BenchFailedError when that
   * takes too long, and with what keeps them from being read.
   */
  async complete(expected: number): Promise<void> {
    this.#expected = expected
    if (this.#received >= expected) return
    let timer = systemClock.setTimer(0, () => undefined)
    const tooLate = new Promise<never>((_, reject) => {
      timer = systemClock.setTimer(
        patienceMs,
        () =>
          reject(new BenchFailedError(`${this.#received} of ${expected} records arrived in 30 s`)),
        { keepsAlive: true },
      )
    })
    const complete = new Promise<void>((resolve) => {
      this.#onComplete = resolve
    })
    try {
      await Promise.race([complete, tooLate, this.#failure()])
    } finally {
      timer.cancel()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.close()
    await this.#reading?.catch(() => undefined)
  }

  /** Settles only when reading fails. */
  async #failure(): Promise<never> {
    await this.#reading
    return await new Promise<never>(() => undefined)
  }

  async #read(): Promise<void> {
    for await (const record of this.#consumer) this.#note(record)
  }

  #note(record: ConsumerRecord): void {
    const nowMs = this.#clock.monotonic()
    const due = record.headers.find(({ key }) => key === dueHeader)?.value
    const dueMs = due === null || due === undefined ? -1 : dueOf(due)
    if (dueMs < 0) return
    this.#gauges.startCounting(dueMs)
    const { key, value } = record
    this.#gauges.series.add(nowMs, (key?.length ?? 0) + (value?.length ?? 0), nowMs - dueMs)
    this.#received += 1
    if (this.#received === this.#expected) this.#onComplete()
  }
}

function dueOf(bytes: Uint8Array): number {
  return bytes.length === 8 ? Buffer.from(bytes).readDoubleLE(0) : -1
}
