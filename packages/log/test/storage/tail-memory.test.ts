import { expect, test } from 'vitest'
import { TailCache } from '../../src/segments/tail-cache.ts'
import { TailMemory } from '../../src/storage/tail-memory.ts'
import { createLog, simulatedPlace } from '../log-fixture.ts'

/** The tails of several logs, each with a follower. */
function followed(memory: TailMemory, count: number): TailCache[] {
  return Array.from({ length: count }, () => {
    const cache = new TailCache(memory)
    cache.follow()
    return cache
  })
}

test('the log that has not grown for the longest time loses its oldest bytes first', () => {
  const memory = new TailMemory(100)
  const [first, second, third] = followed(memory, 3) as [TailCache, TailCache, TailCache]
  first.add(0, 0, Buffer.alloc(20))
  first.add(0, 20, Buffer.alloc(20))
  second.add(0, 0, Buffer.alloc(40))
  third.add(0, 0, Buffer.alloc(30))
  expect(memory.sizeBytes).toBe(90)
  expect(first.read(0, 0, 99)).toBeNull()
  expect(first.read(0, 20, 99)).not.toBeNull()
  first.add(0, 40, Buffer.alloc(30))
  expect(second.read(0, 0, 99)).toBeNull()
  expect(first.read(0, 20, 99)).not.toBeNull()
  expect(memory.sizeBytes).toBe(80)
})

test('what is larger than all the room is not kept', () => {
  const memory = new TailMemory(100)
  const [only] = followed(memory, 1) as [TailCache]
  only.add(0, 0, Buffer.alloc(60))
  only.add(0, 60, Buffer.alloc(101))
  expect(memory.sizeBytes).toBe(0)
  expect(only.read(0, 60, 999)).toBeNull()
  only.add(0, 161, Buffer.alloc(10))
  expect(only.read(0, 161, 999)).not.toBeNull()
})

test('room comes back when the last follower leaves, and by the bound of each log', () => {
  const memory = new TailMemory()
  const [first, second] = followed(memory, 2) as [TailCache, TailCache]
  for (let at = 0; at < 8; at++) first.add(0, at * 2 ** 20, Buffer.alloc(2 ** 20))
  expect(memory.sizeBytes).toBe(4 * 2 ** 20)
  second.add(0, 0, Buffer.alloc(1000))
  first.unfollow()
  expect(memory.sizeBytes).toBe(1000)
  second.unfollow()
  expect(memory.sizeBytes).toBe(0)
})

test('a log that is closed while it is followed takes no room', async () => {
  const { log } = await createLog(simulatedPlace())
  const drop = log.keepTail()
  await log.append({ value: 'kept' })
  await log.close()
  drop()
})
