import { CorruptIndexError } from '@varve/log'
import { expect, test } from 'vitest'
import { compactAll, contentOf, makeLog, NumberedProducer } from './compaction-fixture.ts'

test('without its transaction index a segment is not compacted', async () => {
  const log = await makeLog()
  const producer = new NumberedProducer(log, 7)
  await producer.append(true, { key: 'a', value: 'aborted' })
  await producer.end('abort')
  await log.log.roll()
  await log.log.flush()
  await log.fs.remove((log.log.segments()[0]?.path ?? '').replace('.log', '.txnindex'))
  const error = await compactAll(log).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(CorruptIndexError)
})

test('a segment that was sealed a moment ago is compacted with its transaction index', async () => {
  for (let attempt = 0; attempt < 20; attempt++) {
    const log = await makeLog({ acks: 'none' })
    const producer = new NumberedProducer(log, 7)
    await producer.append(true, { key: 'a', value: 'aborted' })
    await producer.end('abort')
    await producer.append(false, { key: 'b', value: '1' })
    // Sealed at once, and the flush of its indexes is under way when compaction begins.
    await compactAll(log)
    expect(await contentOf(log)).toEqual(['1 abort', '2 b=1'])
    await log.directory.close()
  }
})
