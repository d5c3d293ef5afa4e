import { expect, test } from 'vitest'
import { expiresAtHeader } from '../../src/policy/record-expiry.ts'
import {
  appendPairs,
  compactAll,
  contentOf,
  makeLog,
  NumberedProducer,
} from './compaction-fixture.ts'

test('a record without a key has no place in a compacted log', async () => {
  const log = await makeLog()
  await appendPairs(log, [null, '1'], ['a', '1'], [null, '2'])
  const { stats } = await compactAll(log)
  expect(await contentOf(log)).toEqual(['1 a=1', '2 empty'])
  expect(stats.keylessRecords).toBe(2)
})

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'a batch that loses records keeps its codec (%s), headers, times, and the rest of its offsets',
  async (compressionType) => {
    const log = await makeLog({ compressionType })
    const headers = [
      { key: 'h', value: Buffer.from('x') },
      { key: '', value: null },
    ]
    await log.log.append([
      { key: 'a', value: 'old', timestamp: 50 },
      { key: 'b', value: Buffer.alloc(0), headers, timestamp: 40 },
      { key: 'a', value: 'new', timestamp: 30 },
      { key: 'c', value: 'x', timestamp: 20 },
      { key: 'c', value: 'y', timestamp: 10 },
    ])
    await compactAll(log)
    const { batches } = await log.log.read({ from: 0 })
    expect(batches).toHaveLength(1)
    const [batch] = batches
    expect(batch).toMatchObject({ compressionType, baseOffset: 0, lastOffset: 4, count: 3 })
    expect(batch?.maxTimestamp).toBe(40)
    const records = [...(batch?.records() ?? [])]
    expect(records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [1, 40],
      [2, 30],
      [4, 10],
    ])
    expect(records[0]?.headers).toEqual(headers)
    expect(records[0]?.valueSize).toBe(0)
  },
)

test('a tombstone stays for a round and its retention, then goes, and its key stays gone', async () => {
  const log = await makeLog()
  await appendPairs(log, ['a', '1'], ['b', '1'], ['a', null])
  await compactAll(log, { deleteRetentionMs: 1000 })
  expect(await contentOf(log)).toEqual(['1 b=1', '2 a=null'])
  const horizon = (await log.log.read({ from: 2 })).batches[0]?.deleteHorizon
  expect(horizon).toBe(log.clock.now() + 1000)
  log.clock.advance(999)
  await appendPairs(log, ['c', '1'])
  await compactAll(log, { deleteRetentionMs: 1000 })
  expect(await contentOf(log)).toEqual(['1 b=1', '2 a=null', '3 c=1'])
  expect((await log.log.read({ from: 2 })).batches[0]?.deleteHorizon).toBe(horizon)
  log.clock.advance(1)
  await appendPairs(log, ['d', '1'])
  await compactAll(log, { deleteRetentionMs: 1000 })
  expect(await contentOf(log)).toEqual(['1 b=1', '3 c=1', '4 d=1'])
})

test('setting the horizon changes no timestamp of a record', async () => {
  const log = await makeLog()
  await log.log.append([
    { key: 'a', value: null, timestamp: 5 },
    { key: 'b', value: 'x', timestamp: 2 ** 41 },
  ])
  await compactAll(log)
  const [batch] = (await log.log.read({ from: 0 })).batches
  expect(batch?.deleteHorizon).not.toBeNull()
  expect([...(batch?.records() ?? [])].map(({ timestamp }) => timestamp)).toEqual([5, 2 ** 41])
})

test('records past their time to live go, and none of their predecessors comes back', async () => {
  const log = await makeLog()
  const { clock } = log
  // The older record of 'a' would live longer than the newer one.
  await log.log.append({ key: 'a', value: 'young', timestamp: clock.now() + 5000 })
  await log.log.append({ key: 'a', value: 'old', timestamp: clock.now() })
  await appendPairs(log, ['b', '1'])
  clock.advance(500)
  await appendPairs(log, ['c', '1'])
  clock.advance(500)
  await compactAll(log, { recordTtlMs: 1000 })
  expect(await contentOf(log)).toEqual(['3 c=1'])
})

test("a producer's newest batch stays, empty, so that it is known when it is sent again", async () => {
  const log = await makeLog()
  const producer = new NumberedProducer(log, 7)
  await producer.append(false, { key: 'a', value: '1' })
  await producer.append(false, { key: 'a', value: '2' })
  await appendPairs(log, ['a', '3'])
  await compactAll(log)
  expect(await contentOf(log)).toEqual(['1 empty', '2 a=3'])
  // Read from the batches alone.
  for (const name of log.fs.list(log.log.directory)) {
    if (name.endsWith('.snapshot')) await log.fs.remove(`${log.log.directory}/${name}`)
  }
  const killed = log.fs.fork()
  await log.directory.close()
  const again = await makeLog({}, killed)
  const [tail] = again.log.producers()
  expect(tail).toMatchObject({ producerId: 7, epoch: 0 })
  expect(tail?.batches.at(-1)).toMatchObject({ lastSequence: 1, lastOffset: 1 })
})

test('a record whose own time is over goes, and with it what it has replaced', async () => {
  const log = await makeLog()
  const now = log.clock.now()
  const expiring = (at: number) => [{ key: expiresAtHeader, value: String(at) }]
  await log.log.append([
    { key: 'a', value: 'old', timestamp: now },
    { key: 'b', value: 'kept', timestamp: now, headers: expiring(now + 1000) },
    { key: 'a', value: 'over', timestamp: now, headers: expiring(now) },
    { key: 'c', value: 'last', timestamp: now },
  ])
  await compactAll(log)
  expect(await contentOf(log)).toEqual(['1 b=kept', '3 c=last'])
})
