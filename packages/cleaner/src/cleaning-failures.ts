import type { Log } from '@varve/log'
import type { Timestamp } from '@varve/record'
import { cleanerChannels } from './cleaner-events.ts'

/** Why a log is set aside. */
export interface CleaningFailure {
  /** What failed. */
  readonly task: 'retention' | 'compaction'
  readonly error: Error
  /** In a row. */
  readonly attempts: number
  /** When it is tried again. */
  readonly retryAtMs: Timestamp
}

interface KnownFailure extends CleaningFailure {
  /** A log that was opened again may have been mended. */
  readonly log: Log
}

/** The logs that could not be cleaned, each with its error, and when it is its turn again. */
export class CleaningFailures {
  readonly #failures = new Map<string, KnownFailure>()
  readonly #backoffMs: number
  readonly #backoffMsMax: number

  /** The pause doubles from the first to the second. */
  constructor(backoffMs: number, backoffMsMax: number) {
    this.#backoffMs = backoffMs
    this.#backoffMsMax = backoffMsMax
  }

  get all(): ReadonlyMap<string, CleaningFailure> {
    return this.#failures
  }

  isSetAside(log: Log, nowMs: Timestamp): boolean {
    const known = this.#failures.get(log.name)
    return known !== undefined && known.log === log && nowMs < known.retryAtMs
  }

  failed(log: Log, task: CleaningFailure['task'], reason: unknown, nowMs: Timestamp): void {
    const error = reason instanceof Error ? reason : new Error(String(reason))
    const known = this.#failures.get(log.name)
    const attempts = known?.log === log ? known.attempts + 1 : 1
    const pauseMs = Math.min(this.#backoffMs * 2 ** (attempts - 1), this.#backoffMsMax)
    const failure = { log, task, error, attempts, retryAtMs: nowMs + pauseMs }
    this.#failures.set(log.name, failure)
    const { retryAtMs } = failure
    cleanerChannels.failure.publish({ log: log.name, task, error, attempts, retryAtMs })
  }

  /** What failed before has not this time. */
  succeeded(log: Log, task: CleaningFailure['task']): void {
    if (this.#failures.get(log.name)?.task === task) this.#failures.delete(log.name)
  }

  /** Forgets logs that are no longer there. */
  keepOnly(names: ReadonlyMap<string, unknown>): void {
    for (const name of this.#failures.keys()) if (!names.has(name)) this.#failures.delete(name)
  }
}
