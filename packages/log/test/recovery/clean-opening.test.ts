import { expect, test } from 'vitest'
import { LogClosedError } from '../../src/base/log-errors.ts'
import { resolveLogOptions } from '../../src/base/log-options.ts'
import { LogDirectory } from '../../src/log-directory.ts'
import { ManualClock, SimulatedFileSystem } from '../../src/testing/index.ts'
import {
  appendValues,
  createLog,
  openDirectory,
  readAll,
  reopenLog,
  simulatedPlace,
  values,
} from '../log-fixture.ts'

/** Counts calls for paths within the directory of one log. */
class CountingFileSystem extends SimulatedFileSystem {
  lists = 0
  opens: string[] = []
  stats = 0

  override list(directory: string): readonly string[] {
    if (directory.endsWith('/t-0')) this.lists++
    return super.list(directory)
  }

  override open(...[path, mode]: Parameters<SimulatedFileSystem['open']>) {
    if (path.includes('/t-0/')) this.opens.push(path.slice(path.lastIndexOf('/') + 1))
    return super.open(path, mode)
  }

  override stat(path: string) {
    if (path.includes('/t-0')) this.stats++
    return super.stat(path)
  }
}

test('a clean opening lists a log once, and opens nothing of its sealed segments', async () => {
  const fs = new CountingFileSystem()
  const place = simulatedPlace(fs)
  const { directory, log } = await createLog(place)
  await appendValues(log, 210, 10)
  await directory.close()

  fs.lists = 0
  fs.opens = []
  fs.stats = 0
  await using opened = await openDirectory(place)
  expect(opened.failures.size).toBe(0)
  expect(fs.lists).toBe(1)
  expect(fs.opens.toSorted()).toEqual([
    '00000000000000000200.index',
    '00000000000000000200.log',
    '00000000000000000200.timeindex',
    '00000000000000000210.snapshot',
    'active-00000000000000000200.digest',
    'leader-epoch-checkpoint',
  ])
  // One for each segment, for the directory, and for the lock of a log on its own.
  expect(fs.stats).toBe(21 + 2)
  expect(opened.log('t', 0).segmentCount).toBe(21)
  expect(await readAll(opened.log('t', 0))).toEqual(values(0, 210))
})

test('logs with the same settings share them', async () => {
  const fs = new SimulatedFileSystem()
  const settings = { segmentBytes: 4096 }
  await using directory = await LogDirectory.open('/data', {
    fs,
    log: { acks: 'written' },
    logOptions: (topic) => (topic === 'odd' ? { lingerMs: 1 } : { ...settings }),
  })
  const [one, other, odd] = await Promise.all(
    (['one', 'other', 'odd'] as const).map((topic) => directory.createLog(topic, 0)),
  )
  expect(one?.options).toEqual(resolveLogOptions({ acks: 'written', ...settings }))
  expect(one?.options).toBe(other?.options)
  expect(odd?.options).toEqual(resolveLogOptions({ acks: 'written', lingerMs: 1 }))
})

test('a log that nobody has touched refuses what comes after it was closed', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place)
  await appendValues(log, 3)
  await directory.close()
  const reopened = await reopenLog(place)
  await reopened.directory.close()
  expect(reopened.log.isFailed).toBe(false)
  const late: ReadonlyArray<() => Promise<unknown>> = [
    () => reopened.log.append({ value: 'late' }),
    () => reopened.log.flush(),
    () => reopened.log.settle(),
    () => reopened.log.roll(),
    () => reopened.log.alter({ lingerMs: 1 }),
    () => reopened.log.deleteSegmentsBefore(1),
  ]
  for (const call of late) await expect(call()).rejects.toThrow(LogClosedError)
  const again = await reopenLog(place)
  expect(await readAll(again.log)).toEqual(values(0, 3))
  await again.directory.close()
})

/** Every look at it finds it a little later. */
class SlowClock extends ManualClock {
  override monotonic(): number {
    this.advance(3)
    return super.monotonic()
  }
}

test('timers run while many logs are opened', async () => {
  const fs = new SimulatedFileSystem()
  const first = await LogDirectory.open('/data', { fs })
  for (let partition = 0; partition < 40; partition++) await first.createLog('t', partition)
  await first.close()
  let turns = 0
  let isOpen = false
  const count = (): void => {
    if (isOpen) return
    turns++
    setImmediate(count)
  }
  setImmediate(count)
  const opened = await LogDirectory.open('/data', { fs, clock: new SlowClock() })
  isOpen = true
  expect(opened.logs.size).toBe(40)
  expect(turns).toBeGreaterThan(2)
  await opened.close()
})
