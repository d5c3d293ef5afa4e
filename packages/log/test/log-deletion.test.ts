import { expect, test } from 'vitest'
import { openLogReadOnly } from '../src/read/read-only-log.ts'
import { ManualClock } from '../src/testing/index.ts'
import { appendValues, createLog, openDirectory, simulatedPlace } from './log-fixture.ts'

/** Until nothing is under way any more. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}

test('removes what a deletion that was cut short has left', async () => {
  const place = simulatedPlace()
  const first = await createLog(place)
  await appendValues(first.log, 5)
  await first.directory.close()
  place.fs.rename('/data/t-0', '/data/t-0.0123456789abcdef0123456789abcdef-delete')
  const clock = new ManualClock()
  const left = () => [...place.fs.list('/data')].filter((name) => name.includes('delete')).length
  const directory = await openDirectory(place, {}, { clock })
  expect([...directory.logs.keys()]).toEqual([])
  clock.advance(59_999)
  await settled()
  expect(left()).toBe(1)
  clock.advance(1)
  await settled()
  expect(left()).toBe(0)
  await directory.close()
})

test('what is deleted stays for a while under another name, whole, for those who read it', async () => {
  const place = simulatedPlace()
  const clock = new ManualClock()
  const directory = await openDirectory(place, { fileDeleteDelayMs: 5000 }, { clock })
  const deleted = (): string[] =>
    [...place.fs.list('/data')].filter((name) => name.endsWith('-delete'))
  for (const count of [3, 4]) {
    const log = await directory.createLog('t', 0)
    await appendValues(log, count)
    await directory.deleteLog('t', 0)
  }
  const counts: number[] = []
  for (const name of deleted()) {
    await using reader = await openLogReadOnly(`/data/${name}`, { fs: place.fs })
    counts.push(reader.highWatermark)
  }
  expect(counts.sort()).toEqual([3, 4])
  clock.advance(4999)
  await settled()
  expect(deleted()).toHaveLength(2)
  clock.advance(1)
  await settled()
  expect(deleted()).toEqual([])
  await directory.close()
})

test('what cannot be removed now is removed by the next opening', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place)
  await appendValues(log, 5)
  await directory.deleteLog('t', 0)
  place.fs.injectFault({ kind: 'EIO' })
  await directory.close()
  const left = (): number => [...place.fs.list('/data')].filter((n) => n.endsWith('-delete')).length
  expect(left()).toBe(1)
  await (await openDirectory(place)).close()
  expect(left()).toBe(0)
})
