import type { Clock } from '@varve/log'

/**
 * How the moment of a record is waited for. `precise`: timers, and for the last two milliseconds
 * the event loop turns without rest, since timers know no fractions of a millisecond. `timer`:
 * timers only, so that the loop can be seen to rest; records are then sent up to a millisecond
 * after their moment, and that counts as latency.
 */
export type Pacing = 'precise' | 'timer'

export interface SendingPlan {
  /** Records a second, evenly spaced; null as fast as they are acknowledged. */
  readonly rate: number | null
  readonly pacing: Pacing
  /** How many records may be on their way. Others wait for their turn, and that counts. */
  readonly inFlight: number
  /** What is sent so early is not counted. */
  readonly warmUpMs: number
  /** How long is counted; null without end. */
  readonly durationMs: number | null
  /** How many records are counted; null without end. */
  readonly records: number | null
}

/** A record on its way. Valid until it is acknowledged: then it stands for another one. */
export interface Outgoing {
  /** When it was due, by the clock's monotonic time; flat out, when it was sent. */
  readonly dueMs: number
  /** How long after that it was sent. */
  readonly delayMs: number
  /** Whether the warm-up was over. */
  readonly isCounted: boolean
  /** Of key and value; whoever sends it says so. */
  bytes: number
}

export interface SenderHooks {
  send(record: Outgoing): Promise<unknown>
  /** A counted record was acknowledged at `nowMs`. */
  acknowledged(nowMs: number, record: Outgoing): void
  /** The warm-up is over: what was due at `dueMs`, and from then on, counts. */
  onCounting(dueMs: number): void
}

/** From here on a record's moment is waited for by turning. */
const spinMs = 2
/** Flat out, many are sent in one go; reading the clock costs a fifth of a microsecond. */
const sendsPerReading = 16

/**
 * Sends records at their moments and takes note of when they are acknowledged.
 *
 * With a rate, the n-th record is due at start + n / rate, whatever became of those before it, and
 * its latency counts from then: a system that stalls is not spared the records that should have
 * been sent meanwhile (no coordinated omission). No moment is ever skipped; what is late is sent as
 * soon as there is room. Flat out there are no moments: what is measured is the time of service.
 */
export class RecordSender {
  readonly #clock: Clock
  readonly #plan: SendingPlan
  readonly #hooks: SenderHooks
  readonly #free: Sending[] = []
  #startMs = 0
  #countFromMs = 0
  #endMs = Number.POSITIVE_INFINITY
  #sent = 0
  #counted = 0
  #underWay = 0
  #isWaiting = false
  #isStopped = false
  #failure: { readonly error: unknown } | null = null
  #done: () => void = () => undefined

  constructor(clock: Clock, plan: SendingPlan, hooks: SenderHooks) {
    this.#clock = clock
    this.#plan = plan
    this.#hooks = hooks
  }

  /** Records sent that count. */
  get counted(): number {
    return this.#counted
  }

  /**
   * Sends until duration or number are reached, or `stop` is called, and waits for what is on its
   * way. Rejects with the first send that failed; nothing is sent after it.
   */
  async run(): Promise<void> {
    const { warmUpMs, durationMs } = this.#plan
    this.#startMs = this.#clock.monotonic()
    this.#countFromMs = this.#startMs + warmUpMs
    if (durationMs !== null) this.#endMs = this.#countFromMs + durationMs
    await new Promise<void>((resolve) => {
      this.#done = resolve
      this.#pump(this.#startMs)
    })
    if (this.#failure !== null) throw this.#failure.error
  }

  /** Sends no more. */
  stop(): void {
    this.#isStopped = true
  }

  #pump(givenMs: number): void {
    let nowMs = givenMs
    while (!this.#isWaiting && this.#underWay < this.#plan.inFlight) {
      const dueMs = this.#dueMs(nowMs)
      if (this.#isOver(dueMs)) break
      if (dueMs > nowMs) {
        this.#waitUntil(dueMs, nowMs)
        return
      }
      this.#send(dueMs, nowMs)
      if (this.#sent % sendsPerReading === 0) nowMs = this.#clock.monotonic()
    }
    if (this.#underWay === 0 && !this.#isWaiting) this.#done()
  }

  #dueMs(nowMs: number): number {
    const { rate } = this.#plan
    return rate === null ? nowMs : this.#startMs + (this.#sent * 1000) / rate
  }

  #isOver(dueMs: number): boolean {
    if (this.#isStopped || this.#failure !== null) return true
    const { records } = this.#plan
    return dueMs >= this.#endMs || (records !== null && this.#counted >= records)
  }

  #send(dueMs: number, nowMs: number): void {
    const isCounted = dueMs >= this.#countFromMs
    if (isCounted) {
      if (this.#counted === 0) this.#hooks.onCounting(dueMs)
      this.#counted += 1
    }
    this.#sent += 1
    this.#underWay += 1
    const sending = this.#free.pop() ?? new Sending(this.#settled, this.#failed)
    sending.dueMs = dueMs
    sending.delayMs = nowMs - dueMs
    sending.isCounted = isCounted
    this.#hooks.send(sending).then(sending.settled, sending.failed)
  }

  readonly #settled = (sending: Sending): void => {
    const nowMs = this.#clock.monotonic()
    if (sending.isCounted) this.#hooks.acknowledged(nowMs, sending)
    this.#free.push(sending)
    this.#underWay -= 1
    this.#pump(nowMs)
  }

  readonly #failed = (error: unknown): void => {
    this.#failure ??= { error }
    this.#underWay -= 1
    this.#pump(this.#clock.monotonic())
  }

  #waitUntil(dueMs: number, nowMs: number): void {
    this.#isWaiting = true
    const wake = (): void => {
      const now = this.#clock.monotonic()
      // Timers may be early by a fraction, and a turn always is.
      if (now < dueMs && !this.#isStopped) {
        this.#waitUntil(dueMs, now)
        return
      }
      this.#isWaiting = false
      this.#pump(now)
    }
    const leftMs = dueMs - nowMs
    if (this.#plan.pacing === 'timer') {
      this.#clock.setTimer(Math.ceil(leftMs), wake, { keepsAlive: true })
    } else if (leftMs > spinMs) {
      const restMs = Math.min(100, Math.floor(leftMs - spinMs + 1))
      this.#clock.setTimer(restMs, wake, { keepsAlive: true })
    } else setImmediate(wake)
  }
}

/** Made once for each record that can be on its way, used again and again. */
class Sending implements Outgoing {
  bytes = 0
  dueMs = 0
  delayMs = 0
  isCounted = false
  readonly settled: () => void
  readonly failed: (error: unknown) => void

  constructor(settled: (sending: Sending) => void, failed: (error: unknown) => void) {
    this.settled = () => settled(this)
    this.failed = failed
  }
}
