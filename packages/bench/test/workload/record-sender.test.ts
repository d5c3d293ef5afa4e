import { ManualClock } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { LatencyHistogram } from '../../src/measuring/latency-histogram.ts'
import { RecordSender, type SendingPlan } from '../../src/workload/record-sender.ts'

const plan: SendingPlan = {
  ...{ rate: 1000, pacing: 'timer', inFlight: 100_000 },
  ...{ warmUpMs: 0, durationMs: 10_000, records: null },
}

/** A system that acknowledges at once, but stands still for some time. */
class StallingSystem {
  readonly latencies = new LatencyHistogram()
  readonly delays = new LatencyHistogram()
  readonly clock = new ManualClock()
  readonly sentMs: number[] = []
  counting = 0
  isStalled = false
  #waiting: Array<() => void> = []

  async run(given: Partial<SendingPlan>, act: (second: number) => void): Promise<RecordSender> {
    const sender = new RecordSender(
      this.clock,
      { ...plan, ...given },
      {
        onCounting: () => {
          this.counting += 1
        },
        send: () => {
          this.sentMs.push(this.clock.monotonic())
          if (!this.isStalled) return Promise.resolve()
          return new Promise<void>((resolve) => this.#waiting.push(resolve))
        },
        acknowledged: (nowMs, { dueMs, delayMs }) => {
          this.latencies.record(nowMs - dueMs)
          this.delays.record(delayMs)
        },
      },
    )
    let isDone = false
    const running = sender.run().finally(() => {
      isDone = true
    })
    running.catch(() => undefined)
    for (let ms = 0; ms < 30_000 && !isDone; ms++) {
      if (ms % 1000 === 0) act(ms / 1000)
      this.clock.advance(1)
      await Promise.resolve()
      await Promise.resolve()
    }
    await running
    return sender
  }

  resume(): void {
    this.isStalled = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** Still for one second of ten. */
const stallInFifth = (system: StallingSystem) => (second: number) => {
  if (second === 4) system.isStalled = true
  if (second === 5) system.resume()
}

describe('at a rate', () => {
  test('the percentiles show a standstill, though few records were under way in it', async () => {
    const system = new StallingSystem()
    // Only 8 can be on their way, so in the second of the standstill only 8 are sent.
    const sender = await system.run({ inFlight: 8 }, stallInFifth(system))
    expect(sender.counted).toBe(10_000)
    const sentMeanwhile = system.sentMs.filter((ms) => ms > 4000 && ms < 4999).length
    expect(sentMeanwhile).toBeLessThanOrEqual(8)
    // A tenth of the records was due in it, and waited for half of it on average.
    const { p50Ms, p95Ms, p99Ms, maxMs } = system.latencies.figures()
    expect(p50Ms).toBeLessThan(3)
    expect(p95Ms).toBeGreaterThan(400)
    expect(p99Ms).toBeGreaterThan(850)
    expect(maxMs).toBeGreaterThan(990)
    expect(system.delays.percentileMs(99)).toBeGreaterThan(850)
  })

  test('no moment is skipped: what could not be sent is sent afterwards', async () => {
    const system = new StallingSystem()
    await system.run({ inFlight: 1, durationMs: 6000 }, stallInFifth(system))
    expect(system.sentMs).toHaveLength(6000)
    expect(system.latencies.count).toBe(6000)
  })

  test('the n-th record is due at start + n / rate, whatever became of those before', async () => {
    const system = new StallingSystem()
    await system.run({ rate: 4, durationMs: 2000 }, () => undefined)
    expect(system.sentMs).toEqual([0, 250, 500, 750, 1000, 1250, 1500, 1750])
  })

  test('what is due in the warm-up is sent, and does not count', async () => {
    const system = new StallingSystem()
    const sender = await system.run({ warmUpMs: 2000, durationMs: 3000 }, () => undefined)
    expect(system.sentMs).toHaveLength(5000)
    expect(sender.counted).toBe(3000)
    expect(system.latencies.count).toBe(3000)
    expect(system.counting).toBe(1)
  })
})

describe('flat out', () => {
  test('as many as allowed are under way, and the number of records ends it', async () => {
    const system = new StallingSystem()
    system.isStalled = true
    const sent: number[] = []
    const given = { rate: null, inFlight: 5, durationMs: null, records: 12 }
    await system.run(given, () => {
      sent.push(system.sentMs.length)
      system.resume()
      system.isStalled = sent.length < 3
    })
    expect(sent[0]).toBe(5)
    expect(system.sentMs).toHaveLength(12)
    expect(system.delays.maxMs).toBe(0)
  })
})

test('the first send that fails ends it, when the others have arrived', async () => {
  const clock = new ManualClock()
  let sent = 0
  const sender = new RecordSender(
    clock,
    { ...plan, rate: null, inFlight: 4 },
    {
      onCounting: () => undefined,
      acknowledged: () => undefined,
      send: () => {
        sent += 1
        return sent === 3 ? Promise.reject(new Error('the disk is gone')) : Promise.resolve()
      },
    },
  )
  await expect(sender.run()).rejects.toThrow('the disk is gone')
  expect(sent).toBeLessThan(10)
})

test.each([
  ['precise', 0],
  ['timer', 0.5],
] as const)(
  'pacing: %s sends up to %d ms after a moment between two of them',
  async (pacing, lateMs) => {
    const clock = new ManualClock()
    const late: number[] = []
    const sender = new RecordSender(
      clock,
      { ...plan, rate: 400, durationMs: 100, pacing },
      {
        onCounting: () => undefined,
        acknowledged: (_, { delayMs }) => void late.push(delayMs),
        send: () => Promise.resolve(),
      },
    )
    const running = sender.run()
    for (let turn = 0; turn < 500; turn++) {
      clock.advance(0.25)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await running
    expect(late).toHaveLength(40)
    expect(Math.max(...late)).toBe(lateMs)
  },
)

test('stop ends it', async () => {
  const system = new StallingSystem()
  const clock = system.clock
  const sender = new RecordSender(clock, plan, {
    onCounting: () => undefined,
    acknowledged: () => undefined,
    send: () => Promise.resolve(),
  })
  const running = sender.run()
  clock.advance(100)
  sender.stop()
  clock.advance(100)
  await running
  expect(sender.counted).toBeLessThan(150)
})
