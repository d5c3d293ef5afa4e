import type { SegmentInfo } from '@varve/log'
import { describe, expect, test } from 'vitest'
import { type CompactionInput, planCompaction } from '../../src/compaction/compaction-plan.ts'
import { type CleaningPolicy, resolveCleaningPolicy } from '../../src/policy/cleaning-policy.ts'

const nowMs = 1_000_000

/** Segments of ten offsets and a hundred bytes; the newest record of each is 100 ms younger. */
function segmentsOf(count: number): SegmentInfo[] {
  return Array.from({ length: count }, (_, index) => ({
    baseOffset: index * 10,
    nextOffset: index * 10 + 10,
    sizeBytes: 100,
    maxTimestamp: nowMs - 500 + index * 100,
    path: `/data/t-0/${index}.log`,
  }))
}

function planOf(changes: Partial<CompactionInput>, policy: CleaningPolicy = {}) {
  return planCompaction({
    segments: segmentsOf(5),
    logStartOffset: 0,
    logEndOffset: 50,
    lastStableOffset: 50,
    cleanedOffset: null,
    nowMs,
    policy: resolveCleaningPolicy({ cleanupPolicy: ['compact'], ...policy }),
    firstTimestampOf: ({ maxTimestamp }) => maxTimestamp - 50,
    ...changes,
  })
}

describe('what is cleanable', () => {
  test('everything but the active segment', () => {
    expect(planOf({})).toMatchObject({
      firstDirtyOffset: 0,
      firstUncleanableOffset: 40,
      cleanBytes: 0,
      dirtyBytes: 400,
      dirtyRatio: 1,
      reason: 'dirtyRatio',
    })
  })

  test.each([
    [50, 40],
    [30, 30],
    [29, 20],
    [9, 0],
  ])('with the last stable offset at %i, all segments wholly below it', (lastStableOffset, end) => {
    expect(planOf({ lastStableOffset }).firstUncleanableOffset).toBe(end)
  })

  test.each([
    [0, 40],
    [200, 40],
    [201, 30],
    [450, 10],
    [501, 0],
  ])('with a minimum lag of %i ms, only what is as old', (minCompactionLagMs, end) => {
    const plan = planOf({}, { minCompactionLagMs })
    expect(plan.firstUncleanableOffset).toBe(end)
    if (end === 0) expect(plan.reason).toBeNull()
  })

  test('what was compacted before counts whatever its age', () => {
    const plan = planOf({ cleanedOffset: 20 }, { minCompactionLagMs: 5000 })
    expect(plan).toMatchObject({ firstUncleanableOffset: 20, dirtyBytes: 0, reason: null })
  })
})

describe('whether it is due', () => {
  test.each([
    [0.5, null],
    [0.49, 'dirtyRatio'],
  ])('only with more dirty bytes than a share of %d', (minCleanableDirtyRatio, reason) => {
    const plan = planOf({ cleanedOffset: 20 }, { minCleanableDirtyRatio })
    expect(plan).toMatchObject({ cleanBytes: 200, dirtyBytes: 200, dirtyRatio: 0.5, reason })
  })

  test('when a dirty segment began too long ago, whatever the ratio', () => {
    const policy = { minCleanableDirtyRatio: 1 }
    const due = (maxCompactionLagMs: number) =>
      planOf({ cleanedOffset: 20 }, { ...policy, maxCompactionLagMs }).reason
    expect(due(350)).toBeNull()
    expect(due(349)).toBe('maxCompactionLag')
    const plan = planOf({ cleanedOffset: 20, firstTimestampOf: () => -1 }, policy)
    expect(plan.reason).toBeNull()
  })

  test('when all records of a segment have expired since it was compacted last', () => {
    const policy = { minCleanableDirtyRatio: 1, recordTtlMs: 450 }
    const reason = (lastCompactedMs: number | null) =>
      planOf({ cleanedOffset: 40, lastCompactedMs }, policy).reason
    expect(reason(null)).toBe('expiredRecords')
    expect(reason(nowMs - 51)).toBe('expiredRecords')
    expect(reason(nowMs - 50)).toBeNull()
  })
})

test.each([
  [5, 20, 20],
  [60, 20, 20],
  [30, 20, 30],
])(
  'a checkpoint of %i in a log from %i to 50 makes %i the first dirty offset',
  (at, from, dirty) => {
    const segments = segmentsOf(5).slice(2)
    const plan = planOf({ segments, cleanedOffset: at, logStartOffset: from })
    expect(plan.firstDirtyOffset).toBe(dirty)
  },
)
