import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import type { Client } from '../../src/base/client.ts'
import { type MeteredQuota, QuotaMeter, type QuotaName } from '../../src/quotas/quota-meter.ts'
import { RequestThrottle } from '../../src/quotas/request-throttle.ts'
import { TokenBucket } from '../../src/quotas/token-bucket.ts'

function make(limits: Partial<Record<QuotaName, number>>, requestBytes = 0) {
  const clock = new ManualClock()
  const holds: number[] = []
  const client = { holdBack: (ms: number) => holds.push(ms) } as unknown as Client
  const quota = (name: QuotaName): MeteredQuota | null => {
    const limit = limits[name]
    if (limit === undefined) return null
    return { limit, meter: new QuotaMeter(name, { user: 'u', clientId: '' }) }
  }
  const meters = {
    producer_byte_rate: quota('producer_byte_rate'),
    consumer_byte_rate: quota('consumer_byte_rate'),
    request_percentage: quota('request_percentage'),
    controller_mutation_rate: quota('controller_mutation_rate'),
  }
  const request = () => new RequestThrottle(meters, null, { client, clock, requestBytes })
  return { clock, client, holds, request }
}

test('the longest pause counts, from when it was asked for', () => {
  const { clock, holds, request } = make({ producer_byte_rate: 10, request_percentage: 1 }, 150)
  const throttle = request()
  throttle.countProduced()
  throttle.timed(() => clock.advance(2000))
  expect(throttle.end(true)).toBe(3000)
  expect(holds).toEqual([5000, 1000])
})

test('time counts where nobody is answered, but only others wait for it', () => {
  const { clock, request } = make({ request_percentage: 1 })
  const unanswered = request()
  unanswered.timed(() => clock.advance(2000))
  expect(unanswered.end(false)).toBe(0)
  expect(request().end(true)).toBe(1000)
})

test('time that a step takes counts where it throws too', () => {
  const { clock, request } = make({ request_percentage: 1 })
  const throttle = request()
  const fails = (): never => {
    clock.advance(2000)
    throw new Error('no')
  }
  expect(() => throttle.timed(fails)).toThrow('no')
  expect(throttle.end(true)).toBe(1000)
})

test('no more can be fetched than ever is allowed at once', () => {
  expect(make({ consumer_byte_rate: 10 }).request().fetchBytesMax).toBe(100)
  expect(make({}).request().fetchBytesMax).toBe(Number.POSITIVE_INFINITY)
})

test("each request counts for the server's own rate", () => {
  const { clock, client, holds } = make({})
  const requests = { bucket: new TokenBucket(1), limit: 10 }
  const context = { client, clock, requestBytes: 0 }
  for (let count = 0; count < 12; count++) new RequestThrottle(null, requests, context)
  expect(holds).toEqual([100, 200])
})
