import {
  crashVariants,
  describeVariant,
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
  /** Enqueued and durable, from when on. */
  readonly enqueued: Promises
  /** Acknowledged, or rejected and in the dead letters. */
  readonly finished: Promises
  /** Asked to be finished: it may or may not come back. */
  readonly finishing: Promises
}

/** Producers and consumers of one queue, who do everything at random and at the same time. */
async function live(random: Random): Promise<Story> {
  const fs = new SimulatedFileSystem()
  const story: Story = { fs, enqueued: new Map(), finished: new Map(), finishing: new Map() }
  const order = random.pick(['none', 'key'] as const)
  await using bench = await QueueBench.open({
    fs,
    order,
    partitions: random.between(1, 2),
    deadLetter: async () => undefined,
    maxDeliveries: 100,
    visibilityTimeoutMs: 1000,
  })
  const { queue } = bench
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
    const value = `v${count++}`
    const acks = random.pick(['written', 'flushed', 'flushed'] as const)
    const key = random.bool() ? `k${random.int(3)}` : null
    await queue.enqueue({ key, value }, { acks, delayMs: random.bool(0.1) ? 500 : 0 })
    if (acks === 'flushed') story.enqueued.set(value, fs.operations)
  }
  for (let step = 0; step < 60; step++) {
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
    if (random.bool(0.2)) bench.clock.advance(random.int(600))
    if (random.bool()) await bench.turns(random.int(3))
  }
  await Promise.all(running)
  return story
}

function expired(error: { readonly code?: string }): void {
  if (error.code !== 'VARVE_DELIVERY_EXPIRED') throw error
}

async function check(story: Story, operations: number, left: SimulatedFileSystem): Promise<void> {
  const until = (promises: Promises): string[] =>
    [...promises].filter(([, when]) => when <= operations).map(([value]) => value)
  await using bench = await QueueBench.open({ fs: left, partitions: 2 })
  // Offsets that a lost record had are another's now.
  for (let index = 0; index < 4; index++) {
    await bench.queue.enqueue({ key: `k${index}`, value: `fresh${index}` })
  }
  bench.clock.advance(10_000)
  await bench.turns(10)
  const found = await bench.values()
  expect(new Set(found).size, 'each once').toBe(found.length)
  for (const value of until(story.finished)) expect(found).not.toContain(value)
  const mayBeGone = new Set(until(story.finishing))
  for (const value of until(story.enqueued)) {
    if (!mayBeGone.has(value)) expect(found).toContain(value)
  }
  for (let index = 0; index < 4; index++) expect(found).toContain(`fresh${index}`)
}

test('after any crash nothing acknowledged comes back, and nothing unacknowledged is lost', async () => {
  const random = new Random(seedFromEnvironment('queue after crashes'))
  for (let round = 0; round < 3; round++) {
    const story = await live(random.fork())
    expect(story.finished.size).toBeGreaterThan(0)
    for (
      let operations = 0;
      operations <= story.fs.operations;
      operations += random.between(1, 9)
    ) {
      const variant = random.pick(crashVariants(random, 4))
      try {
        await check(story, operations, story.fs.crashState(operations, variant))
      } catch (error) {
        throw new Error(`${describeVariant(variant)} after ${operations} operations`, {
          cause: error,
        })
      }
    }
  }
})

test('after a kill at any call likewise', async () => {
  const random = new Random(seedFromEnvironment('queue after kills'))
  const story = await live(random.fork())
  for (let operations = 0; operations <= story.fs.operations; operations += random.between(3, 12)) {
    try {
      await check(story, operations, story.fs.killState(operations))
    } catch (error) {
      throw new Error(`killed after ${operations} operations`, { cause: error })
    }
  }
})
