import { openLogReadOnly } from '@varve/log'
import { expect, test } from 'vitest'
import { surveyCompaction } from '../../src/compaction/compaction-survey.ts'
import { resolveCleaningPolicy } from '../../src/policy/cleaning-policy.ts'
import { appendPairs, makeLog } from './compaction-fixture.ts'

test("somebody else's log is read as compaction would, and not touched", async () => {
  const own = await makeLog()
  await appendPairs(own, ['a', '1'], ['a', '2'], ['b', '1'])
  await own.log.roll()
  await own.log.flush()
  const before = own.fs.operations
  await using log = await openLogReadOnly('/data/t-0', { fs: own.fs })
  const { fs, clock } = own
  const policy = resolveCleaningPolicy({ cleanupPolicy: ['compact'] })
  const survey = (cleanedOffset: number | null) =>
    surveyCompaction(log, { policy, cleanedOffset, mapBytes: 1000, fs, clock })
  const { plan, stats } = await survey(null)
  expect(plan).toMatchObject({ reason: 'dirtyRatio', firstUncleanableOffset: 3 })
  expect(stats).toMatchObject({ inputRecords: 3, outputRecords: 2 })
  expect((await survey(3)).plan.reason).toBeNull()
  expect(own.fs.operations).toBe(before)
})
