import type { Clock } from '@varve/log'

/** How far a long piece of work has come. */
export interface BackupProgress {
  readonly doneBytes: number
  readonly totalBytes: number
  /** Over the whole time; 0 at first. */
  readonly bytesPerSecond: number
  /** Null until it can be told. */
  readonly leftMs: number | null
}

/** Counts bytes, and tells of them a few times a second. */
export class ProgressMeter {
  readonly #totalBytes: number
  readonly #clock: Clock
  readonly #tell: ((progress: BackupProgress) => void) | null
  readonly #startedMs: number
  #toldMs = Number.NEGATIVE_INFINITY
  #doneBytes = 0
  /** Of the done ones, those that took no time. */
  #skippedBytes = 0

  constructor(
    totalBytes: number,
    clock: Clock,
    tell: ((progress: BackupProgress) => void) | undefined,
  ) {
    this.#totalBytes = totalBytes
    this.#clock = clock
    this.#tell = tell ?? null
    this.#startedMs = clock.monotonic()
  }

  advance(bytes: number): void {
    this.#doneBytes += bytes
    this.#tellSometimes()
  }

  /** Bytes that needed no work. */
  skip(bytes: number): void {
    this.#skippedBytes += bytes
    this.advance(bytes)
  }

  finish(): void {
    this.#tell?.(this.#progress())
  }

  #tellSometimes(): void {
    const nowMs = this.#clock.monotonic()
    if (this.#tell === null || nowMs - this.#toldMs < 200) return
    this.#toldMs = nowMs
    this.#tell(this.#progress())
  }

  #progress(): BackupProgress {
    const elapsedMs = this.#clock.monotonic() - this.#startedMs
    const worked = this.#doneBytes - this.#skippedBytes
    const bytesPerSecond = elapsedMs > 0 ? (worked / elapsedMs) * 1000 : 0
    const left = Math.max(0, this.#totalBytes - this.#doneBytes)
    return {
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond,
      leftMs: bytesPerSecond > 0 ? (left / bytesPerSecond) * 1000 : null,
    }
  }
}
