import { expect, test } from 'vitest'
import { RequestTraffic } from '../../src/base/request-traffic.ts'

const request = { api: 'Fetch', version: 4, requestBytes: 10, responseBytes: 100 }

test('requests are counted by API and version, with their bytes and times', () => {
  const traffic = new RequestTraffic()
  for (let durationMs = 1; durationMs <= 100; durationMs += 1) {
    traffic.count({ ...request, version: durationMs % 2, durationMs }, 0)
  }
  const fetch = traffic.apis.get('Fetch')
  expect(fetch).toMatchObject({ requests: 100, totalMs: 5050, requestBytes: 1000 })
  expect([...(fetch?.versions ?? [])].sort()).toEqual([
    [0, 50],
    [1, 50],
  ])
  for (const part of [0.5, 0.95, 0.99]) {
    const found = fetch?.quantile(part, 0) ?? 0
    expect(found / (100 * part)).toBeGreaterThanOrEqual(1)
    expect(found / (100 * part)).toBeLessThan(1.1)
  }
})

test('quantiles forget what was long ago', () => {
  const traffic = new RequestTraffic()
  traffic.count({ ...request, durationMs: 1000 }, 100_000)
  traffic.count({ ...request, durationMs: 1 }, 170_000)
  const fetch = traffic.apis.get('Fetch')
  expect(fetch?.quantile(1, 170_000)).toBeGreaterThan(900)
  expect(fetch?.quantile(1, 240_000)).toBeLessThan(2)
  expect(fetch?.quantile(1, 1_000_000)).toBe(0)
})
