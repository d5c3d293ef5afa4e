import { expect, test } from 'vitest'
import { CleanedSegmentWriter } from '../../src/segments/cleaned-segment-writer.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'
import {
  batchOf,
  createLog,
  offsetsOf,
  openDirectory,
  range,
  reopenLog,
  simulatedPlace,
} from '../log-fixture.ts'
import { findings } from '../rot/oracle.ts'

const large = { indexIntervalBytes: 0 }
const small = { indexIntervalBytes: 0, segmentIndexBytes: 24 }

test('a segment that has more entries than its indexes may have now is recovered, and sealed', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place, large)
  for (const offset of range(0, 10)) await log.append({ value: 'v', timestamp: 1000 + offset })
  const killed = simulatedPlace(place.fs.fork())
  const reopened = await reopenLog(killed, small)
  expect(await offsetsOf(reopened.log)).toEqual(range(0, 10))
  await reopened.log.append({ value: 'v', timestamp: 2000 })
  expect(reopened.log.segments().map(({ baseOffset }) => baseOffset)).toEqual([0, 10])
  expect(await reopened.log.offsetForTimestamp(1007)).toMatchObject({ offset: 7 })
  await reopened.directory.close()
  expect(await findings(killed.fs)).toEqual([])
  await (await openDirectory(killed, small)).close()
})

test('compaction may write a segment that has more entries than fit its indexes', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectories('/data/t-0')
  const writer = new CleanedSegmentWriter('/data/t-0', 0, { fs, log: small })
  for (const baseOffset of range(0, 10)) {
    const record = { value: 'v', timestamp: 1000 + baseOffset }
    await writer.append(batchOf([record], { baseOffset, leaderEpoch: 0 }))
  }
  const { info } = await writer.finish(12)
  expect(info).toMatchObject({ nextOffset: 12, maxTimestamp: 1009 })
})
