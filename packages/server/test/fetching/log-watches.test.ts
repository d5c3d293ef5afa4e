import { openLog } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { LogWatches } from '../../src/fetching/log-watches.ts'

test('a log is watched while somebody waits for it, and a little longer', async () => {
  const clock = new ManualClock()
  const watches = new LogWatches(clock)
  const log = await openLog('/t-0', { fs: new SimulatedFileSystem(), clock })
  const grown: number[] = []
  const waiter = { grown: (moreBytes: number) => void grown.push(moreBytes) }
  watches.add(log, waiter)
  await log.append({ value: 'a' })
  expect(grown).toEqual([log.sizeBytes])
  watches.remove(log, waiter)
  await log.append({ value: 'b' })
  expect(grown).toHaveLength(1)
  expect(watches.watchedLogs).toBe(1)
  clock.advance(30_000)
  expect(watches.watchedLogs).toBe(0)
  watches.add(log, waiter)
  await log.close()
  expect(grown.at(-1)).toBe(0)
  expect(watches.watchedLogs).toBe(0)
})
