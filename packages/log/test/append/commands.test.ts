import { expect, test } from 'vitest'
import type { Acks } from '../../src/base/log-options.ts'
import { Random, seedFromEnvironment } from '../../src/testing/index.ts'
import { createLog, simulatedPlace } from '../log-fixture.ts'

// What is asked for between appends comes after those that were made before it, whatever the writer
// is busy with meanwhile.

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a flush covers what was queued while the group before it was on its way', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place)
  await log.append({ value: 'the first' })
  place.fs.holdFlushes()
  const flushing = log.append({ value: 'flushed' })
  await turn()
  // The writer waits for the disk: what comes now is in no group yet.
  await log.append({ value: 'accepted' }, { acks: 'none' })
  const written = log.append({ value: 'to be written' }, { acks: 'written' })
  const flush = log.flush()
  place.fs.resumeFlushes()
  await flush
  expect(log.flushedOffset).toBe(4)
  await Promise.all([flushing, written])
  await log.close()
})

test('a flush covers what waits outside of a full queue', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place, { queueBytesMax: 1000, acks: 'written' })
  const value = Buffer.alloc(400, 'x')
  const appends = Array.from({ length: 50 }, () => log.append({ value }))
  await log.flush()
  expect(log.flushedOffset).toBe(50)
  await Promise.all(appends)
  await log.close()
})

test('a segment is rolled behind what was appended before', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place)
  await log.append({ value: 'the first' })
  place.fs.holdFlushes()
  const flushing = log.append({ value: 'second' })
  await turn()
  await log.append({ value: 'third' }, { acks: 'none' })
  const roll = log.roll()
  place.fs.resumeFlushes()
  await roll
  await flushing
  expect(log.segments().map(({ baseOffset }) => baseOffset)).toEqual([0, 3])
  await log.close()
})

test('a flush covers all that was appended before, in any order of both', async () => {
  const random = new Random(seedFromEnvironment('commands.test.ts'))
  const levels: readonly Acks[] = ['none', 'written', 'flushed']
  for (let round = 0; round < 60; round++) {
    const place = simulatedPlace()
    const { log } = await createLog(place, { queueBytesMax: 20_000, segmentBytes: 50_000 })
    const waiting: Promise<unknown>[] = []
    let appended = 0
    for (let step = 0; step < 60; step++) {
      const kind = random.int(10)
      if (kind < 7) {
        const value = Buffer.alloc(random.int(3000), 'x')
        waiting.push(log.append({ value }, { acks: levels[random.int(3)] as Acks }))
        appended += 1
      } else if (kind < 9) {
        const before = appended
        const check = () => expect(log.flushedOffset).toBeGreaterThanOrEqual(before)
        waiting.push(log.flush().then(check))
      } else for (let ticks = random.int(30); ticks > 0; ticks--) await null
    }
    await log.flush()
    expect(log.flushedOffset).toBe(appended)
    await Promise.all(waiting)
    await log.close()
  }
})
