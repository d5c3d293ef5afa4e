import { expect, test } from 'vitest'
import { SegmentDamageError } from '../../src/cleaning-errors.ts'
import { appendPairs, compactAll, contentOf, makeLog } from './compaction-fixture.ts'

test('damage is refused, not copied', async () => {
  const log = await makeLog()
  await appendPairs(log, ['a', '1'], ['a', '2'])
  await log.log.roll()
  const [first] = log.log.segments()
  const path = first?.path ?? ''
  // Byte 13 belongs to the leader epoch, which no checksum of a batch covers.
  for (const position of [70, 13]) {
    log.fs.flipBit(path, position * 8)
    const error = await compactAll(log).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SegmentDamageError)
    log.fs.flipBit(path, position * 8)
  }
  expect(log.fs.list(log.log.directory).filter((name) => name.endsWith('.cleaned'))).toEqual([])
  await compactAll(log)
  expect(await contentOf(log)).toEqual(['1 a=2'])
})
