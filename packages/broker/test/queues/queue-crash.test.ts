import {
  crashVariants,
  describeVariant,
  ManualClock,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { expect, test } from 'vitest'
import type { Delivery } from '../../src/queues/delivery.ts'
import { QueueBench } from './queue-fixture.ts'

/** When something was promised, in operations of the file system. */
type Promises = Map<string, number>

interface Story {
  readonly fs: SimulatedFileSystem
  readonly order: 'none' | 'key'
  readonly partitions: number
  /** Enqueued, from when on: what a power cut leaves of it, and what a kill leaves. */
  readonly flushed: Promises
  readonly written: Promises
  /** Acknowledged, or rejected and in the dead letters. */
  readonly finished: Promises
  /** Asked to be finished: it may or may not come back. */
  readonly finishing: Promises
  /** Of each value: not to be delivered before. */
  readonly deliverAt: Map<string, number>
  /** The time when so many operations had been done. */
  readonly times: Array<{ readonly operations: number; readonly now: number }>
}

/** Producers and consumers of one queue, who do everything at random and at the same time. */
async function live(random: Random, steps: number): Promise<Story> {
  const fs = new SimulatedFileSystem()
  const order = random.pick(['none', 'key'] as const)
  const partitions = random.between(1, 2)
  const story: Story = {
    ...{ fs, order, partitions, flushed: new Map(), written: new Map() },
    ...{ finished: new Map(), finishing: new Map(), deliverAt: new Map(), times: [] },
  }
  await using bench = await QueueBench.open({
    ...{ fs, order, partitions, deadLetter: async () => undefined },
    ...{ maxDeliveries: 100, visibilityTimeoutMs: 1000 },
  })
  const { queue, clock } = bench
  const held: Delivery[] = []
  const running: Array<Promise<unknown>> = []
  let count = 0
  const finish = async (delivery: Delivery, how: 'acknowledge' | 'reject'): Promise<void> => {
    const value = String(delivery.record.value)
    story.finishing.set(value, fs.operations)
    await delivery[how]()
    story.finished.set(value, fs.operations)
  }
  const enqueue = async (): Promise<void> => {
    const acks = random.pick(['written', 'flushed', 'flushed'] as const)
    const key = random.bool() ? `k${random.int(3)}` : null
    const value = `${key ?? ''}:${count++}`
    const delayMs = random.bool(0.15) ? random.pick([500, 5000]) : 0
    story.deliverAt.set(value, clock.now() + delayMs)
    await queue.enqueue({ key, value }, { acks, delayMs })
    story.written.set(value, fs.operations)
    if (acks === 'flushed') story.flushed.set(value, fs.operations)
  }
  for (let step = 0; step < steps; step++) {
    const action = random.int(10)
    const delivery = held.length > 0 ? held.splice(random.int(held.length), 1)[0] : undefined
    if (action < 3) running.push(enqueue())
    else if (action < 6 || delivery === undefined) {
      if (delivery !== undefined) held.push(delivery)
      const taken = await queue.dequeue({ waitMs: 0 })
      if (taken !== null) held.push(taken)
    } else if (action < 8) running.push(finish(delivery, 'acknowledge').catch(expired))
    else if (action === 8) running.push(finish(delivery, 'reject').catch(expired))
    else running.push(delivery.release({ delayMs: random.int(2) * 100 }).catch(expired))
    if (random.bool(0.2)) {
      clock.advance(random.int(600))
      story.times.push({ operations: fs.operations, now: clock.now() })
    }
    if (random.bool()) await bench.turns(random.int(3))
  }
  await Promise.all(running)
  return story
}

function expired(error: { readonly code?: string }): void {
  if (error.code !== 'VARVE_DELIVERY_EXPIRED') throw error
}

/** What the next process finds: each record that it has to find, once, when it is due, in order. */
async function check(
  story: Story,
  operations: number,
  left: SimulatedFileSystem,
  kept: Promises,
): Promise<void> {
  const { order, partitions } = story
  const now = story.times.findLast((time) => time.operations <= operations)?.now
  const clock = new ManualClock(now)
  await using bench = await QueueBench.open({ fs: left, clock, order, partitions })
  const found: string[] = []
  const drain = async (): Promise<void> => {
    await bench.turns(3)
    for (;;) {
      const delivery = await bench.queue.dequeue({ waitMs: 0 })
      if (delivery === null) return
      found.push(String(delivery.record.value))
      await delivery.acknowledge()
    }
  }
  await drain()
  for (const value of found) expect(story.deliverAt.get(value)).toBeLessThanOrEqual(clock.now())
  // Offsets that a lost record had are another's now.
  for (let index = 0; index < 4; index++) {
    await bench.queue.enqueue({ key: `k${index}`, value: `k${index}:${1000 + index}` })
  }
  clock.advance(10_000)
  await drain()
  expect(new Set(found).size, 'each once').toBe(found.length)
  const seen = new Set(found)
  for (const [value, when] of story.finished) {
    if (when <= operations && seen.has(value)) throw new Error(`${value} has come back`)
  }
  for (const [value, when] of kept) {
    const mayBeGone = (story.finishing.get(value) ?? Infinity) <= operations
    if (when <= operations && !mayBeGone && !seen.has(value)) throw new Error(`${value} is lost`)
  }
  for (let index = 0; index < 4; index++) expect(found).toContain(`k${index}:${1000 + index}`)
  if (order === 'key') checkOrder(found)
}

/** Within each key, in the order in which they were enqueued. */
function checkOrder(found: readonly string[]): void {
  const last = new Map<string, number>()
  for (const value of found) {
    const [key = '', number] = value.split(':')
    if (key === '') continue
    expect(Number(number), `after ${last.get(key)} of ${key}`).toBeGreaterThan(last.get(key) ?? -1)
    last.set(key, Number(number))
  }
}

/**
 * @param share of the file system's operations after which there is a crash
 * @returns how many times what was left was opened
 */
export async function checkQueueCrashes(
  seed: number,
  share: number,
  how: 'cut' | 'kill',
): Promise<number> {
  const random = new Random(seed)
  const story = await live(random.fork(), 60)
  expect(story.written.size).toBeGreaterThan(0)
  let opened = 0
  for (let operations = 0; operations <= story.fs.operations; operations++) {
    if (!random.bool(share)) continue
    const variant = random.pick(crashVariants(random, 4))
    const what = how === 'cut' ? describeVariant(variant) : 'kill'
    try {
      if (how === 'kill') {
        await check(story, operations, story.fs.killState(operations), story.written)
      } else {
        const left = story.fs.crashState(operations, variant)
        await check(story, operations, left, story.flushed)
      }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : cause
      const where = `VARVE_SEED=${seed} ${what} after ${operations} operations`
      throw new Error(`${where}: ${reason}`, { cause })
    }
    opened++
  }
  return opened
}

test('after any crash nothing acknowledged comes back, and nothing unacknowledged is lost', async () => {
  const random = new Random(seedFromEnvironment('queue after crashes'))
  let opened = 0
  for (let round = 0; round < 3; round++) {
    opened += await checkQueueCrashes(random.next(), 0.2, 'cut')
  }
  expect(opened).toBeGreaterThan(20)
})

test('after a kill at any call likewise, of what was only written too', async () => {
  const random = new Random(seedFromEnvironment('queue after kills'))
  expect(await checkQueueCrashes(random.next(), 0.15, 'kill')).toBeGreaterThan(3)
})
