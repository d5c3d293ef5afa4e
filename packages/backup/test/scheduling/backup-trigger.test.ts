import { LogDirectory } from '@varve/log'
import { ManualClock, makeTemporaryDirectory } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { BackupTrigger } from '../../src/scheduling/backup-trigger.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('sealed segments call for one run, a delay after the first', async () => {
  using temporary = makeTemporaryDirectory()
  const path = `${temporary.path}/data`
  await using directory = await LogDirectory.open(path)
  await using other = await LogDirectory.open(`${temporary.path}/other`)
  const clock = new ManualClock()
  let runs = 0
  const trigger = new BackupTrigger(async () => void runs++, {
    events: ['sealed'],
    directory: path,
    clock,
    delayMs: 500,
  })
  const elsewhere = await other.createLog('orders', 0)
  await elsewhere.append({ value: 'one' })
  await elsewhere.roll()
  clock.advance(10_000)
  expect(runs).toBe(0)
  const log = await directory.createLog('orders', 0)
  for (let count = 0; count < 3; count++) {
    await log.append({ value: 'one' })
    await log.roll()
  }
  clock.advance(499)
  expect(runs).toBe(0)
  clock.advance(1)
  expect(runs).toBe(1)
  clock.advance(10_000)
  expect(runs).toBe(1)
  await trigger.stop()
  await log.append({ value: 'one' })
  await log.roll()
  clock.advance(10_000)
  expect(runs).toBe(1)
})

test('what happens during a run is served by the next, and stopping waits', async () => {
  const clock = new ManualClock()
  const ends: Array<() => void> = []
  const run = (): Promise<void> => new Promise((resolve) => ends.push(resolve))
  const options = { events: ['compacted'] as const, directory: '/data', clock, delayMs: 10 }
  const trigger = new BackupTrigger(run, options)
  trigger.fire()
  trigger.fire()
  clock.advance(10)
  expect(ends).toHaveLength(1)
  trigger.fire()
  trigger.fire()
  clock.advance(100)
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await settle()
  clock.advance(10)
  expect(ends).toHaveLength(2)
  let isStopped = false
  const stopping = trigger.stop().then(() => {
    isStopped = true
  })
  await settle()
  expect(isStopped).toBe(false)
  ends[1]?.()
  await stopping
})

test('a run that fails is told, and the next event calls again', async () => {
  const clock = new ManualClock()
  const errors: unknown[] = []
  const trigger = new BackupTrigger(() => Promise.reject(new Error('no space')), {
    ...{ events: ['sealed'] as const, directory: '/data', clock, delayMs: 0 },
    onError: (error) => errors.push(error),
  })
  for (let count = 1; count <= 2; count++) {
    trigger.fire()
    clock.advance(1)
    await settle()
    expect(errors).toHaveLength(count)
  }
  await trigger.stop()
})

test('no events, or a delay that is none, are refused', () => {
  const clock = new ManualClock()
  const make = (options: object) =>
    new BackupTrigger(async () => {}, { events: ['sealed'], directory: '/d', clock, ...options })
  expect(() => make({ events: [] })).toThrow(InvalidArgumentError)
  expect(() => make({ delayMs: -1 })).toThrow(InvalidArgumentError)
})
