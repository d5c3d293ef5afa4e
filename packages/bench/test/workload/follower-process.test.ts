import { systemClock } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { generatePayload } from '../../src/payload/payload.ts'
import { BenchFailedError } from '../../src/workload/bench-errors.ts'
import { BenchPlace } from '../../src/workload/bench-place.ts'
import { runEndToEnd } from '../../src/workload/end-to-end-run.ts'
import { OtherProcess } from '../../src/workload/other-process.ts'
import type { SendingPlan } from '../../src/workload/record-sender.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const context = { clock: systemClock, intervalMs: 50 }
const load = {
  payload: generatePayload('json', 120, 1),
  nextKey: () => null,
  producers: 1,
  sending: { acks: 'flushed' },
} as const
const plan: SendingPlan = {
  ...{ rate: null, pacing: 'timer', inFlight: 16 },
  ...{ warmUpMs: 0, durationMs: null, records: 20 },
}

describe('a consumer in a process of its own', () => {
  test('sees all of it, later than it was sent', async () => {
    await using place = await BenchPlace.open({ address: temporary.path })
    // It looks seldom, so that records have to wait for it.
    const where = { consumerIn: 'another process', pollMs: 300 } as const
    const measured = await runEndToEnd(place, load, plan, context, where)
    expect(measured).toMatchObject({ records: 20, latencyKind: 'end-to-end' })
    expect(measured.latency?.count).toBe(20)
    expect(measured.engine?.flushes).toBeGreaterThan(0)
  })

  test('tells what keeps it from reading', async () => {
    const following = {
      ...{ address: `${temporary.path}/nowhere`, topic: 'orders', partitions: 1 },
      ...{ pollMs: 5, intervalMs: 100 },
    }
    const started = OtherProcess.start(following, () => undefined)
    await expect(started).rejects.toThrow(BenchFailedError)
    await expect(started).rejects.toThrow(/nowhere/)
  })
})
