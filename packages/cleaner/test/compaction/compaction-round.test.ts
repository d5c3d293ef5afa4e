import { seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { appendPairs, compactAll, contentOf, findingsOf, makeLog } from './compaction-fixture.ts'
import { liveAndCompact } from './live-and-compact.ts'

test('whatever is appended, and wherever it crashes, the latest values are left', async () => {
  const seed = seedFromEnvironment('compaction')
  const counts = await liveAndCompact(seed, 4, { steps: 60, crashes: 2 })
  expect(counts.compactions).toBeGreaterThan(10)
  expect(counts.crashes).toBeGreaterThan(10)
})

test('the newest record of every key is left, at its offset and in its order', async () => {
  const log = await makeLog()
  await appendPairs(log, ['a', '1'], ['b', '1'], ['a', '2'], ['c', '1'], ['a', '3'], ['d', '1'])
  const { stats, endOffset, rounds } = await compactAll(log)
  expect(await contentOf(log)).toEqual(['1 b=1', '3 c=1', '4 a=3', '5 d=1'])
  expect({ endOffset, rounds }).toEqual({ endOffset: 6, rounds: 1 })
  expect(stats).toMatchObject({ inputRecords: 6, outputRecords: 4, keys: 4, keylessRecords: 0 })
  expect(stats.outputBytes).toBeLessThan(stats.inputBytes)
  await appendPairs(log, ['b', '2'])
  await compactAll(log)
  expect(await contentOf(log)).toEqual(['3 c=1', '4 a=3', '5 d=1', '6 b=2'])
  expect(await findingsOf(log)).toEqual([])
})

test('small segments are merged, a lone one of which everything is left is not touched', async () => {
  const log = await makeLog({ segmentBytes: 1000 })
  await appendPairs(log, ...Array.from({ length: 40 }, (_, index) => ['k', `${index}`] as const))
  expect(log.log.segments().length).toBeGreaterThan(2)
  await compactAll(log)
  await compactAll(log)
  const [first] = log.log.segments()
  expect(log.log.segments()).toHaveLength(2)
  const before = log.fs.stat(first?.path ?? '')?.fileId
  await compactAll(log)
  expect(log.fs.stat(first?.path ?? '')?.fileId).toBe(before)
})

test('a dry run says what would be gained, and writes nothing', async () => {
  const log = await makeLog()
  await appendPairs(log, ['a', '1'], ['a', '2'], ['b', '1'])
  await log.log.roll()
  await log.log.flush()
  const before = log.fs.operations
  const { stats } = await compactAll(log, { isDryRun: true })
  expect(stats).toMatchObject({ inputRecords: 3, outputRecords: 2 })
  expect(log.fs.operations).toBe(before)
})

test('a given signal ends it, and nothing is left behind', async () => {
  const log = await makeLog()
  await appendPairs(log, ['a', '1'], ['a', '2'])
  const abort = new AbortController()
  const running = compactAll(log, {
    signal: abort.signal,
    onProgress: ({ phase }) => {
      if (phase === 'rewriting') abort.abort(new Error('enough'))
    },
  })
  await expect(running).rejects.toThrow('enough')
  expect(log.fs.list(log.log.directory).filter((name) => name.endsWith('.cleaned'))).toEqual([])
  expect(await contentOf(log)).toEqual(['0 a=1', '1 a=2'])
  expect(log.directory.cleanerCheckpoint.readOne('t-0')).toBeNull()
})

test('appends and reads go on while a log is compacted', async () => {
  const log = await makeLog({ segmentBytes: 1000, acks: 'written' })
  await appendPairs(
    log,
    ...Array.from({ length: 60 }, (_, index) => [`${index % 7}`, 'x'] as const),
  )
  const reader = log.log.reader({ from: 0 })[Symbol.asyncIterator]()
  await reader.next()
  const compacting = compactAll(log)
  const appending = appendPairs(log, ['new', '1'], ['new', '2'])
  await Promise.all([compacting, appending])
  const offsets: number[] = []
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
    offsets.push(next.value.lastOffset)
  }
  expect(offsets.at(-1)).toBe(61)
  expect(offsets).toEqual([...offsets].sort((one, two) => one - two))
})
