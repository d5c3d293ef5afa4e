import { CorruptIndexError } from '@varve/log'
import { expect, test } from 'vitest'
import { compactAll, makeLog, NumberedProducer } from './compaction-fixture.ts'

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
