import type { Clock } from '@varve/log'
import type { Client } from '../base/client.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { Throttle } from '../base/throttle.ts'
import type { MeteredQuota, QuotaName } from './quota-meter.ts'
import type { TokenBucket } from './token-bucket.ts'

/** Kafka asks for no longer pauses than this for time on its threads: one window. */
const requestPauseMsMax = 1000
/** What is allowed in so many seconds is there at most. */
const burstSeconds = 10

export interface ThrottledRequest {
  readonly client: Client
  readonly clock: Clock
  readonly requestBytes: number
}

/** Holds one request's client to its quotas, and its connection to the server's own rate. */
export class RequestThrottle implements Throttle {
  readonly #meters: Readonly<Record<QuotaName, MeteredQuota | null>> | null
  readonly #request: ThrottledRequest
  /** Until when the client has to hold back, by the monotonic clock. */
  #untilMs = 0

  constructor(
    meters: Readonly<Record<QuotaName, MeteredQuota | null>> | null,
    requests: { readonly bucket: TokenBucket; readonly limit: number } | null,
    request: ThrottledRequest,
  ) {
    this.#meters = meters
    this.#request = request
    if (requests === null) return
    const { bucket, limit } = requests
    const nowMs = request.clock.monotonic()
    bucket.take(1, limit, nowMs)
    this.#holdBack(bucket.excessMs(limit, nowMs), null, nowMs)
  }

  get fetchBytesMax(): number {
    const limit = this.#meters?.consumer_byte_rate?.limit ?? Number.POSITIVE_INFINITY
    return Math.floor(limit * burstSeconds)
  }

  countProduced(): void {
    const quota = this.#meters?.producer_byte_rate ?? null
    if (quota === null) return
    const nowMs = this.#request.clock.monotonic()
    const { limit, meter } = quota
    meter.take(this.#request.requestBytes, limit, nowMs)
    this.#holdBack(meter.bucket.excessMs(limit, nowMs), quota, nowMs)
  }

  admitsFetched(bytes: number): boolean {
    const quota = this.#meters?.consumer_byte_rate ?? null
    if (quota === null) return true
    const nowMs = this.#request.clock.monotonic()
    const { limit, meter } = quota
    // A batch may be larger than ever can be there: it goes when all is there that can.
    const waitMs = meter.bucket.waitMs(bytes, limit, nowMs)
    if (waitMs === 0) meter.take(bytes, limit, nowMs)
    else this.#holdBack(waitMs, quota, nowMs)
    return waitMs === 0
  }

  countMutations(partitions: number, isStrict: boolean): void {
    const quota = this.#meters?.controller_mutation_rate ?? null
    if (quota === null) return
    const { limit, meter } = quota
    const nowMs = this.#request.clock.monotonic()
    const excessMs = meter.bucket.excessMs(limit, nowMs)
    if (isStrict && excessMs > 0) {
      this.#holdBack(excessMs, quota, nowMs)
      const reason = `there were too many changes of partitions; wait for ${excessMs} ms`
      throw new RequestRefusedError('THROTTLING_QUOTA_EXCEEDED', reason)
    }
    meter.take(partitions, limit, nowMs)
    if (!isStrict) this.#holdBack(meter.bucket.excessMs(limit, nowMs), quota, nowMs)
  }

  timed<Result>(step: () => Result): Result {
    const quota = this.#meters?.request_percentage ?? null
    if (quota === null) return step()
    const { clock } = this.#request
    const startedMs = clock.monotonic()
    try {
      return step()
    } finally {
      const nowMs = clock.monotonic()
      // All of a second is 100 percent.
      quota.meter.take((nowMs - startedMs) / 10, quota.limit, nowMs)
    }
  }

  end(isAnswered: boolean): number {
    const nowMs = this.#request.clock.monotonic()
    const quota = this.#meters?.request_percentage ?? null
    if (quota !== null && isAnswered) {
      const excessMs = quota.meter.bucket.excessMs(quota.limit, nowMs)
      this.#holdBack(Math.min(excessMs, requestPauseMsMax), quota, nowMs)
    }
    return Math.max(0, Math.min(Math.ceil(this.#untilMs - nowMs), 2 ** 31 - 1))
  }

  #holdBack(ms: number, quota: MeteredQuota | null, nowMs: number): void {
    if (ms <= 0) return
    quota?.meter.throttled(ms, nowMs)
    this.#untilMs = Math.max(this.#untilMs, nowMs + ms)
    this.#request.client.holdBack(ms)
  }
}
