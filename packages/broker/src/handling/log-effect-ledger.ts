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
  readonly #log: Log
  readonly #clock: Clock
  readonly #retentionMs: number
  /** When each was done, oldest first. */
  readonly #done = new Map<string, number>()

  private constructor(log: Log, options: LogEffectLedgerOptions) {
    this.#log = log
    this.#clock = options.clock
    this.#retentionMs = options.retentionMs ?? 7 * 86_400_000
  }

  static async load(log: Log, options: LogEffectLedgerOptions): Promise<LogEffectLedger> {
    const ledger = new LogEffectLedger(log, options)
    for await (const { key, value, timestamp } of log
      .reader({ from: log.logStartOffset })
      .records()) {
      if (key === null) continue
      const id = key.toString()
      ledger.#done.delete(id)
      if (value !== null) ledger.#done.set(id, timestamp)
    }
    return ledger
  }

  /** How many effects are remembered. */
  get size(): number {
    return this.#done.size
  }

  async run(id: string, effect: () => Promise<void> | void): Promise<boolean> {
    if (this.#done.has(id)) return false
    await effect()
    const timestamp = this.#clock.now()
    await this.#log.append({ key: id, value: '', timestamp }, { acks: 'flushed' })
    this.#done.set(id, timestamp)
    return true
  }

  /** Forgets what is older than the retention time; call it now and then. Returns how many. */
  async expire(): Promise<number> {
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
}
