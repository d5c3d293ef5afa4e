import { RateMeter } from './rate-meter.ts'
import { TokenBucket } from './token-bucket.ts'

/** Quotas of clients, by Kafka's names. */
export type QuotaName =
  | 'producer_byte_rate'
  | 'consumer_byte_rate'
  | 'request_percentage'
  | 'controller_mutation_rate'

/** What is used of a quota, and how much that may be. */
export interface MeteredQuota {
  readonly limit: number
  readonly meter: QuotaMeter
}

/** What is allowed in so many seconds may come at once, as with Kafka's quota.window.num of 11. */
const burstSeconds: Readonly<Record<QuotaName, number>> = {
  producer_byte_rate: 10,
  consumer_byte_rate: 10,
  request_percentage: 10,
  controller_mutation_rate: 11,
}
/** Pauses for time are short, so that a debt of it would never be paid. */
const timeDebtSecondsMax = 10

/** What those who share a quota have used of it. */
export class QuotaMeter {
  readonly name: QuotaName
  readonly user: string
  readonly clientId: string
  /** Of bytes, percents of a second, or mutations. */
  readonly bucket: TokenBucket
  /** The quota, as it was told last: so much a second. */
  limit = 0
  readonly #rate = new RateMeter()
  readonly #throttledMs = new RateMeter()
  readonly #throttled = new RateMeter()

  constructor(
    name: QuotaName,
    { user, clientId }: { readonly user: string; readonly clientId: string },
  ) {
    this.name = name
    this.user = user
    this.clientId = clientId
    const debtSeconds = name === 'request_percentage' ? timeDebtSecondsMax : undefined
    this.bucket = new TokenBucket(burstSeconds[name], debtSeconds)
  }

  /** So much is used. */
  take(count: number, limit: number, nowMs: number): void {
    this.bucket.take(count, limit, nowMs)
    this.#rate.count(count, nowMs)
  }

  /** What was used lately, a second on average. */
  rate(nowMs: number): number {
    return this.#rate.rate(nowMs)
  }

  /** Somebody is held back for that long. */
  throttled(ms: number, nowMs: number): void {
    this.#throttledMs.count(ms, nowMs)
    this.#throttled.count(1, nowMs)
  }

  /** The average of the last seconds, in ms; 0 where nobody was held back. */
  throttleMs(nowMs: number): number {
    const count = this.#throttled.sum(nowMs)
    return count === 0 ? 0 : this.#throttledMs.sum(nowMs) / count
  }
}
