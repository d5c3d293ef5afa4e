import type { Clock, Log } from '@varve/log'
import type { DurableEffectLedger } from './once-only.ts'

export interface LogEffectLedgerOptions {
  readonly clock: Clock
  /**
   * How long an effect is remembered, in ms. A record that comes again later has its effect again.
   * @defaultValue 7 days
   */
  readonly retentionMs?: number
}

/**
 * Remembers effects in a log of its own: a record for each, durable before `run` resolves, a
 * tombstone when its time is over. Give the log's topic `cleanupPolicy: 'compact'`, or it grows for
 * ever. Takes about 100 bytes of memory for each effect remembered.
 */
export class LogEffectLedger implements DurableEffectLedger {
  #log: Log
  readonly #clock: Clock
  readonly #retentionMs: number
  /** When each was done, oldest first. */
  #done = new Map<string, number>()
  /** Until what is in the log is known. */
  #loading: Promise<void> = Promise.resolve()

  private constructor(log: Log, options: LogEffectLedgerOptions) {
    this.#log = log
    this.#clock = options.clock
    this.#retentionMs = options.retentionMs ?? 7 * 86_400_000
  }

  static async load(log: Log, options: LogEffectLedgerOptions): Promise<LogEffectLedger> {
    const ledger = new LogEffectLedger(log, options)
    await ledger.reload(log)
    return ledger
  }

  /**
   * Goes on with a log that was opened again. Effects of which it was not known whether their note
   * arrived count as done where it did. Rejects as reading does; then so does `run`, until it is
   * called again.
   */
  reload(log: Log): Promise<void> {
    this.#log = log
    this.#loading = this.#load(log)
    this.#loading.catch(() => undefined)
    return this.#loading
  }

  /** How many effects are remembered. */
  get size(): number {
    return this.#done.size
  }

  async run(id: string, effect: () => Promise<void> | void): Promise<boolean> {
    await this.#loading
    if (this.#done.has(id)) return false
    await effect()
    const timestamp = this.#clock.now()
    const done = this.#done
    await this.#log.append({ key: id, value: '', timestamp }, { acks: 'flushed' })
    done.set(id, timestamp)
    return true
  }

  /** Forgets what is older than the retention time; call it now and then. Returns how many. */
  async expire(): Promise<number> {
    await this.#loading
    const now = this.#clock.now()
    const expired: string[] = []
    for (const [id, timestamp] of this.#done) {
      if (now - timestamp < this.#retentionMs) break
      expired.push(id)
    }
    for (let start = 0; start < expired.length; start += 1000) {
      const ids = expired.slice(start, start + 1000)
      await this.#log.append(ids.map((id) => ({ key: id, value: null, timestamp: now })))
      for (const id of ids) this.#done.delete(id)
    }
    return expired.length
  }

  async #load(log: Log): Promise<void> {
    const done = new Map<string, number>()
    const reader = log.reader({ from: log.logStartOffset })
    for await (const { key, value, timestamp } of reader.records()) {
      if (key === null) continue
      const id = key.toString()
      done.delete(id)
      if (value !== null) done.set(id, timestamp)
    }
    this.#done = done
  }
}
