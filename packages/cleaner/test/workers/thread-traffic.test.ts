import { expect, test, vi } from 'vitest'
import { ThreadTraffic } from '../../src/workers/thread-traffic.ts'

const pause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs))

/** Blocks the event loop. */
function compute(durationMs: number): void {
  const startedMs = performance.now()
  while (performance.now() - startedMs < durationMs);
}

test('an idle thread is found idle, and a busy one busy', async () => {
  const traffic = new ThreadTraffic()
  const unwatch = traffic.watch()
  // Until it is known that nobody needs it.
  expect(traffic.flag[0]).toBe(1)
  await vi.waitFor(() => expect(traffic.flag[0]).toBe(0), { timeout: 10_000, interval: 200 })
  for (let turn = 0; turn < 30 && traffic.flag[0] === 0; turn++) {
    compute(5)
    await pause(5)
  }
  expect(traffic.flag[0]).toBe(1)
  unwatch()
})

test('what is done for the worker itself is not counted', async () => {
  const traffic = new ThreadTraffic()
  const unwatch = traffic.watch()
  await vi.waitFor(() => expect(traffic.flag[0]).toBe(0), { timeout: 10_000, interval: 200 })
  let looks = 0
  let busy = 0
  for (let turn = 0; turn < 60; turn++) {
    traffic.answer(() => compute(5))
    await pause(15)
    looks += 1
    busy += traffic.flag[0] ?? 0
  }
  // A quarter of the time; where the machine is short of processors, a look may find more.
  expect(busy).toBeLessThan(looks / 2)
  unwatch()
})

test('it looks while somebody watches, and not after', async () => {
  const traffic = new ThreadTraffic()
  const [one, two] = [traffic.watch(), traffic.watch()]
  one()
  one()
  await vi.waitFor(() => expect(traffic.flag[0]).toBe(0), { timeout: 10_000, interval: 200 })
  two()
  for (let turn = 0; turn < 20; turn++) {
    compute(5)
    await pause(5)
  }
  expect(traffic.flag[0]).toBe(0)
})
