import { expect, test } from 'vitest'
import {
  appendPairs,
  compactAll,
  contentOf,
  findingsOf,
  makeLog,
  NumberedProducer,
} from './compaction-fixture.ts'

test('aborted records go; their marker goes a round and a retention later', async () => {
  const log = await makeLog()
  const producer = new NumberedProducer(log, 7)
  await producer.append(true, { key: 'a', value: 'committed' })
  await producer.end('commit')
  await producer.append(true, { key: 'a', value: 'aborted' }, { key: 'z', value: 'aborted' })
  await producer.end('abort')
  await producer.append(false, { key: 'q', value: '1' })
  const policy = { deleteRetentionMs: 100 }
  await compactAll(log, policy)
  expect(await contentOf(log)).toEqual(['0 a=committed', '1 commit', '4 abort', '5 q=1'])
  // Nothing of the aborted transaction is there any more: from now on its marker's time runs.
  await producer.append(false, { key: 'r', value: '1' })
  await compactAll(log, policy)
  log.clock.advance(100)
  await producer.append(false, { key: 's', value: '1' })
  await compactAll(log, policy)
  expect(await contentOf(log)).toEqual(['0 a=committed', '1 commit', '5 q=1', '6 r=1', '7 s=1'])
  expect(await findingsOf(log)).toEqual([])
})

test('nothing of an undecided transaction is touched', async () => {
  const log = await makeLog()
  const producer = new NumberedProducer(log, 7)
  await appendPairs(log, ['a', '1'], ['a', '2'])
  await log.log.roll()
  await producer.append(true, { key: 'a', value: '3' })
  await log.log.roll()
  await appendPairs(log, ['a', '4'])
  const { endOffset } = await compactAll(log)
  expect(endOffset).toBe(2)
  expect(await contentOf(log)).toEqual(['1 a=2', '2 a=3', '3 a=4'])
})

test('a transaction that began in the clean part and was aborted behind it is known', async () => {
  const log = await makeLog()
  const producer = new NumberedProducer(log, 7)
  await producer.append(true, { key: 'a', value: 'aborted' })
  await log.log.roll()
  await producer.append(true, { key: 'b', value: 'aborted' })
  await producer.end('abort')
  log.clock.advance(50)
  await appendPairs(log, ['c', '1'])
  await log.log.roll()
  // Only the first segment is old enough; the marker lies behind it.
  log.clock.advance(10)
  await compactAll(log, { minCompactionLagMs: 15 })
  await compactAll(log)
  expect(await contentOf(log)).toEqual(['1 empty', '2 abort', '3 c=1'])
  expect(await findingsOf(log)).toEqual([])
})
