import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { NotRetriable } from '../../src/handling/attempts.ts'
import { fixedRetry } from '../../src/handling/retry-policy.ts'
import { QueueBench } from './queue-fixture.ts'

test('records are handled side by side and acknowledged, until the signal is given', async () => {
  await using bench = await QueueBench.open()
  const controller = new AbortController()
  const seen: string[] = []
  let running = 0
  let most = 0
  const processing = bench.queue.process({
    concurrency: 3,
    signal: controller.signal,
    handler: async ({ value }) => {
      running += 1
      most = Math.max(most, running)
      await bench.turns(2)
      running -= 1
      seen.push(String(value))
    },
  })
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((value) => bench.queue.enqueue({ value })))
  while (bench.queue.length > 0) await bench.turns()
  controller.abort()
  await processing
  expect(seen.sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(most).toBe(3)
})

test('a record that fails is delivered again after the policy’s wait, then rejected', async () => {
  const dead: Array<[number, string]> = []
  await using bench = await QueueBench.open({
    deadLetter: async (_record, { attempts, error }) => {
      dead.push([attempts, (error as Error).message])
    },
  })
  await bench.enqueue('bad', 'hopeless', 'good')
  const counts: number[] = []
  const processing = bench.queue.process({
    retry: fixedRetry({ delayMs: 100, maxAttempts: 3 }),
    handler: ({ value }, { deliveryCount }) => {
      if (String(value) === 'hopeless') throw new NotRetriable('never')
      if (String(value) === 'good') return
      counts.push(deliveryCount)
      throw new Error('not yet')
    },
  })
  for (let round = 0; round < 4; round++) {
    await bench.turns(20)
    bench.clock.advance(100)
  }
  await bench.turns(20)
  expect(counts).toEqual([1, 2, 3])
  expect(dead).toEqual([
    [1, 'never'],
    [3, 'not yet'],
  ])
  expect(bench.queue.length).toBe(0)
  await bench.queue.close()
  await processing
})

test('a delivery is extended while its handler works', async () => {
  await using bench = await QueueBench.open({ visibilityTimeoutMs: 1000 })
  await bench.enqueue('long')
  let end = (): void => undefined
  let calls = 0
  const controller = new AbortController()
  const processing = bench.queue.process({
    signal: controller.signal,
    handler: () => {
      calls += 1
      return new Promise<void>((resolve) => {
        end = resolve
      })
    },
  })
  await bench.turns()
  for (let second = 0; second < 10; second++) bench.clock.advance(400)
  expect(await bench.queue.dequeue({ waitMs: 0 })).toBeNull()
  controller.abort()
  end()
  await processing
  expect([calls, bench.queue.length]).toEqual([1, 0])
})

test('a handler that is told to stop gives its record back', async () => {
  await using bench = await QueueBench.open()
  await bench.enqueue('a')
  const controller = new AbortController()
  const processing = bench.queue.process({
    signal: controller.signal,
    handler: (_record, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')))
      }),
  })
  await bench.turns()
  controller.abort()
  await processing
  expect(await bench.values()).toEqual(['a'])
})

test('what keeps records from being finished ends processing', async () => {
  const bench = await QueueBench.open()
  await bench.enqueue('a', 'b')
  const processing = bench.queue.process({
    handler: () => bench.fs.injectFault({ kind: 'EIO', isLasting: true }),
  })
  await expect(processing).rejects.toMatchObject({ code: 'VARVE_LOG_OFFLINE' })
  bench.fs.clearFaults()
  const wrong = bench.queue.process({ handler: () => undefined, concurrency: 0 })
  await expect(wrong).rejects.toBeInstanceOf(InvalidArgumentError)
  await bench.queue.close()
  // A failed log says so again when it is closed.
  await expect(bench.directory.close()).rejects.toMatchObject({ code: 'VARVE_LOG_OFFLINE' })
})
