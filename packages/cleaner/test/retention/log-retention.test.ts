import { LogDirectory } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { resolveCleaningPolicy } from '../../src/policy/cleaning-policy.ts'
import { deleteByPlan, planLogRetention } from '../../src/retention/log-retention.ts'

test('a log loses what its plan says, and nothing comes back after a restart', async () => {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  const open = () => LogDirectory.open('/data', { fs, clock })
  const directory = await open()
  const log = await directory.createLog('t', 0)
  for (const timestamp of [0, 1000, 2000]) {
    await log.append({ value: 'x', timestamp: clock.now() + timestamp })
    await log.roll()
  }
  const policy = resolveCleaningPolicy({ retentionMs: 500 })
  const settings = { policy, nowMs: clock.now() + 2000, holds: [] }
  const plan = planLogRetention(log, fs, settings)
  expect(plan.deletions.map(({ before, reason }) => [before, reason])).toEqual([
    [2, 'retentionTime'],
  ])
  await deleteByPlan(log, plan)
  expect(log.segments().map(({ baseOffset }) => baseOffset)).toEqual([2, 3])
  await directory.close()
  const again = await open()
  expect(again.log('t', 0).logStartOffset).toBe(2)
  await again.close()
})

test('records without a timestamp are as old as their file', async () => {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  const directory = await LogDirectory.open('/data', { fs, clock })
  const log = await directory.createLog('t', 0)
  await log.append({ value: 'x', timestamp: -1 })
  await log.roll()
  const [first] = log.segments()
  fs.setModifiedTime(first?.path ?? '', clock.now() - 1000)
  const planAt = (retentionMs: number) => {
    const policy = resolveCleaningPolicy({ retentionMs })
    return planLogRetention(log, fs, { policy, nowMs: clock.now(), holds: [] }).deletions.length
  }
  expect([planAt(1000), planAt(999)]).toEqual([0, 1])
  await directory.close()
})

test('of many segments the oldest are looked at, and the plan is that of all', async () => {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  const directory = await LogDirectory.open('/data', { fs, clock, log: { acks: 'written' } })
  const log = await directory.createLog('t', 0)
  for (let segment = 0; segment < 300; segment++) {
    await log.append({ value: 'x', timestamp: clock.now() + segment })
    await log.roll()
  }
  const [{ sizeBytes } = { sizeBytes: 0 }] = log.segments()
  expect(log.sizeBytes).toBe(300 * sizeBytes)
  for (const count of [0, 5, 63, 64, 65, 256, 299, 300]) {
    const nowMs = clock.now() + 300
    const byTime = resolveCleaningPolicy({ retentionMs: 300 - count })
    const bySize = resolveCleaningPolicy({
      retentionMs: -1,
      retentionBytes: (300 - count) * sizeBytes,
    })
    for (const policy of [byTime, bySize]) {
      const plan = planLogRetention(log, fs, { policy, nowMs, holds: [] })
      expect(plan.deletions.flatMap(({ segments }) => segments)).toHaveLength(count)
      if (count < 60) expect(plan.decisions).toHaveLength(64)
    }
  }
  await directory.close()
})
