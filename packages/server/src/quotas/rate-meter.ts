/** Kafka's quota.window.num and quota.window.size.seconds. */
const windows = 11
const windowMs = 1000

/** How much came within the last ten seconds and the one that runs: for metrics. */
export class RateMeter {
  readonly #sums = new Float64Array(windows)
  /** The second that began last. */
  #second = Number.NEGATIVE_INFINITY

  /** What counts now, in all. */
  sum(nowMs: number): number {
    this.#turn(nowMs)
    return this.#sums.reduce((sum, one) => sum + one, 0)
  }

  /** A second, on average. */
  rate(nowMs: number): number {
    const spanMs = (windows - 1) * windowMs + (nowMs % windowMs)
    return (this.sum(nowMs) / spanMs) * 1000
  }

  count(value: number, nowMs: number): void {
    this.#turn(nowMs)
    const at = this.#second % windows
    this.#sums[at] = (this.#sums[at] ?? 0) + value
  }

  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / windowMs)
    if (second <= this.#second) return
    const from = Math.max(this.#second + 1, second - windows + 1)
    for (let passed = from; passed <= second; passed++) this.#sums[passed % windows] = 0
    this.#second = second
  }
}
