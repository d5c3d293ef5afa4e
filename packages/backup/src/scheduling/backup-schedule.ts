import type { Clock, Timer } from '@varve/log'
import { randomFraction } from '@varve/log/pacing'
import { InvalidArgumentError } from '@varve/record'
import { Cron } from 'croner'

export interface ScheduleRule {
  /**
   * When, as cron writes it: `0 3 * * *` is three in the morning; six fields begin with seconds.
   */
  readonly cron: string
  /** An IANA name, like `Europe/Berlin`. @defaultValue 'UTC' */
  readonly timeZone?: string
  /** Each run is put off by a random time below this, in ms. @defaultValue 0 */
  readonly jitterMs?: number
  /**
   * What becomes of runs that were due while nothing ran: one of them is made up for at once, or
   * they are left out. @defaultValue 'once'
   */
  readonly missed?: 'once' | 'skip'
}

export interface ScheduleOptions {
  readonly clock: Clock
  /** 0 to 1. @defaultValue numbers of the operating system */
  readonly random?: () => number
  /** When it ran last, in ms since the epoch; null for never. @defaultValue null */
  readonly lastRunMs?: number | null
  /** Told of a run that failed; the next one comes when it is due. */
  readonly onError?: (error: unknown) => void
}

/** A timer holds at most 2^31 ms; a clock that is set is noticed at the latest then. */
const longestWaitMs = 3_600_000

/**
 * Calls something when a cron expression says so. Runs do not overlap: one that is due while
 * another goes on is left out. Survives a clock that is set forwards or back: nothing is run twice
 * for the same moment.
 */
export class BackupSchedule {
  readonly #rule: ScheduleRule
  readonly #options: ScheduleOptions
  readonly #cron: Cron
  readonly #run: () => Promise<void>
  #nextMs: number
  #timer: Timer | null = null
  #running: Promise<void> | null = null
  #isStopped = false

  /** Throws InvalidArgumentError for an expression, time zone or jitter that is none. */
  constructor(rule: ScheduleRule, run: () => Promise<void>, options: ScheduleOptions) {
    const { jitterMs = 0 } = rule
    if (!(jitterMs >= 0 && jitterMs <= 86_400_000)) {
      throw new InvalidArgumentError('jitterMs', jitterMs, 'must be 0 to a day')
    }
    this.#rule = rule
    this.#options = options
    this.#run = run
    this.#cron = cronOf(rule)
    this.#nextMs = this.#firstMs()
  }

  /** When it is due next, in ms since the epoch; Infinity for never. */
  get nextMs(): number {
    return this.#nextMs
  }

  start(): void {
    this.#wait()
  }

  /** No run begins any more; resolves when the one that goes on has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#running
  }

  #firstMs(): number {
    const { clock, lastRunMs = null } = this.#options
    const nowMs = clock.now()
    const isMadeUp = (this.#rule.missed ?? 'once') === 'once'
    if (isMadeUp && lastRunMs !== null && this.#after(lastRunMs) <= nowMs) return nowMs
    return this.#jittered(this.#after(nowMs))
  }

  #wait(): void {
    if (this.#isStopped) return
    const leftMs = this.#nextMs - this.#options.clock.now()
    if (leftMs <= 0) {
      this.#begin()
      return
    }
    const waitMs = Math.min(leftMs, longestWaitMs)
    const keepsAlive = true
    this.#timer = this.#options.clock.setTimer(waitMs, () => this.#wait(), { keepsAlive })
  }

  #begin(): void {
    const dueMs = this.#nextMs
    this.#running = this.#runOnce().finally(() => {
      this.#running = null
      // From when it was due: a clock that was set back must not bring the same moment again.
      const fromMs = Math.max(this.#options.clock.now(), dueMs)
      this.#nextMs = this.#jittered(this.#after(fromMs))
      this.#wait()
    })
  }

  async #runOnce(): Promise<void> {
    try {
      await this.#run()
    } catch (error) {
      this.#options.onError?.(error)
    }
  }

  #after(timeMs: number): number {
    return afterOf(this.#cron, timeMs)
  }

  #jittered(timeMs: number): number {
    const { random = randomFraction } = this.#options
    return timeMs + Math.floor(random() * (this.#rule.jitterMs ?? 0))
  }
}

/**
 * The first time after `timeMs` that a rule says, in ms since the epoch; Infinity for none. Throws
 * InvalidArgumentError for an expression or time zone that is none.
 */
export function nextRunMs(rule: ScheduleRule, timeMs: number): number {
  return afterOf(cronOf(rule), timeMs)
}

function afterOf(cron: Cron, timeMs: number): number {
  return cron.nextRun(new Date(timeMs))?.getTime() ?? Number.POSITIVE_INFINITY
}

/** Only to find times: croner's own timers are not used. */
function cronOf({ cron, timeZone = 'UTC' }: ScheduleRule): Cron {
  try {
    const found = new Cron(cron, { timezone: timeZone, paused: true })
    found.nextRun()
    return found
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InvalidArgumentError('cron', `${cron} (${timeZone})`, reason)
  }
}
