import { Random, seedFromEnvironment } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { type CleaningPolicy, resolveCleaningPolicy } from '../../src/policy/cleaning-policy.ts'
import type { RetentionHold } from '../../src/retention/retention-hold.ts'
import {
  type RetentionInput,
  type RetentionSegment,
  selectForDeletion,
} from '../../src/retention/retention-selection.ts'

const nowMs = 1_000_000

/** Segments of ten offsets and a hundred bytes, the oldest 500 ms old, each 100 ms younger. */
function segmentsOf(count: number): RetentionSegment[] {
  return Array.from({ length: count }, (_, index) => ({
    baseOffset: index * 10,
    nextOffset: index * 10 + 10,
    sizeBytes: 100,
    maxTimestamp: nowMs - 500 + index * 100,
    path: `/data/t-0/${index}.log`,
  }))
}

function inputOf(policy: CleaningPolicy, changes: Partial<RetentionInput> = {}): RetentionInput {
  const segments = changes.segments ?? segmentsOf(5)
  const end = segments.at(-1)?.nextOffset ?? 0
  return {
    segments,
    logStartOffset: 0,
    highWatermark: end,
    logEndOffset: end,
    nowMs,
    policy: resolveCleaningPolicy({ retentionMs: -1, ...policy }),
    ...changes,
  }
}

function reasonsOf(input: RetentionInput): readonly string[] {
  return selectForDeletion(input).decisions.map(({ reason }) => reason)
}

describe('by time', () => {
  test('what is older than the limit goes, and what is exactly as old stays', () => {
    const plan = selectForDeletion(inputOf({ retentionMs: 300 }))
    expect(plan.decisions.map(({ reason, isDeleted }) => [reason, isDeleted])).toEqual([
      ['retentionTime', true],
      ['retentionTime', true],
      ['withinRetention', false],
      ['behindKept', false],
      ['behindKept', false],
    ])
    const [first, second] = segmentsOf(2)
    expect(plan.deletions).toEqual([
      { before: 20, reason: 'retentionTime', segments: [first, second], sizeBytes: 200 },
    ])
  })

  test('a segment from the future keeps everything behind it', () => {
    const segments = segmentsOf(4)
    segments[1] = { ...(segments[1] as RetentionSegment), maxTimestamp: nowMs + 1 }
    const reasons = reasonsOf(inputOf({ retentionMs: 0 }, { segments }))
    expect(reasons).toEqual(['retentionTime', 'withinRetention', 'behindKept', 'behindKept'])
  })

  test('the active segment goes with all others, unless it is empty', () => {
    expect(selectForDeletion(inputOf({ retentionMs: 0 })).deletions.at(-1)?.before).toBe(50)
    const segments = segmentsOf(2)
    segments.push({ ...(segments[1] as RetentionSegment), baseOffset: 20, sizeBytes: 0 })
    const input = inputOf({ retentionMs: 0 }, { segments, logEndOffset: 20, highWatermark: 20 })
    expect(reasonsOf(input)).toEqual(['retentionTime', 'retentionTime', 'emptyActive'])
  })

  test("the file's age decides where no record has a timestamp", () => {
    const plain = segmentsOf(3).map((segment) => ({ ...segment, maxTimestamp: -1 }))
    const old = plain.map((segment) => ({ ...segment, modifiedMs: nowMs - 10 }))
    expect(reasonsOf(inputOf({ retentionMs: 5 }, { segments: plain }))[0]).toBe('withinRetention')
    expect(reasonsOf(inputOf({ retentionMs: 5 }, { segments: old }))[0]).toBe('retentionTime')
  })
})

describe('by size', () => {
  test.each([
    [500, 0],
    [401, 0],
    [400, 1],
    [399, 1],
    [100, 4],
    [99, 4],
    [0, 5],
    [-1, 0],
  ])('a limit of %i bytes deletes %i of five segments: never below the limit', (bytes, count) => {
    const { decisions } = selectForDeletion(inputOf({ retentionBytes: bytes }))
    const deleted = decisions.filter(({ isDeleted }) => isDeleted)
    expect(deleted.map(({ reason }) => reason)).toEqual(Array(count).fill('retentionSize'))
  })

  test('comes before time, which takes over where it stops', () => {
    const plan = selectForDeletion(inputOf({ retentionBytes: 300, retentionMs: 150 }))
    expect(plan.deletions.map(({ reason, before }) => [reason, before])).toEqual([
      ['retentionSize', 20],
      ['retentionTime', 40],
    ])
  })
})

describe('by log start offset', () => {
  test.each([['delete'], ['compact']] as const)(
    'goes what lies wholly before it (%s)',
    (policy) => {
      const input = inputOf({ cleanupPolicy: [policy] }, { logStartOffset: 25 })
      expect(selectForDeletion(input).deletions.map(({ before }) => before)).toEqual([20])
      const all = selectForDeletion({ ...input, logStartOffset: 50 })
      expect(all.decisions.map(({ isDeleted }) => isDeleted)).toEqual([
        true,
        true,
        true,
        true,
        false,
      ])
    },
  )
})

test('a log that is only compacted loses nothing by age or size', () => {
  const policy: CleaningPolicy = { cleanupPolicy: ['compact'], retentionMs: 0, retentionBytes: 0 }
  expect(selectForDeletion(inputOf(policy)).deletions).toEqual([])
  const both: CleaningPolicy = { ...policy, cleanupPolicy: ['compact', 'delete'] }
  expect(selectForDeletion(inputOf(both)).deletions).toHaveLength(1)
})

test('nothing at or above the high watermark goes', () => {
  const input = inputOf({ retentionMs: 0 }, { highWatermark: 25 })
  expect(reasonsOf(input)).toEqual([
    'retentionTime',
    'retentionTime',
    'aboveHighWatermark',
    'aboveHighWatermark',
    'aboveHighWatermark',
  ])
})

describe('waiting for groups', () => {
  const holds: readonly RetentionHold[] = [
    { group: 'fast', committedOffset: 35 },
    { group: 'slow', committedOffset: 15 },
  ]

  test('what one has not read stays, and it is said who holds how much', () => {
    const plan = selectForDeletion(inputOf({ retentionMs: 0 }, { holds }))
    expect(plan.decisions.map(({ reason }) => reason)).toEqual([
      'retentionTime',
      'heldByGroup',
      'heldByGroup',
      'heldByGroup',
      'heldByGroup',
    ])
    expect(plan.held).toEqual([
      { group: 'fast', committedOffset: 35, segments: 2, sizeBytes: 200, ageMs: 200 },
      { group: 'slow', committedOffset: 15, segments: 4, sizeBytes: 400, ageMs: 400 },
    ])
    expect(plan.overruled).toEqual([])
  })

  test('a cap in bytes overrules the slowest, oldest first', () => {
    const plan = selectForDeletion(inputOf({ retentionMs: 0, holdBytesMax: 250 }, { holds }))
    expect(plan.deletions.map(({ before }) => before)).toEqual([30])
    expect(plan.overruled).toEqual(['slow'])
    expect(plan.held.map(({ group, sizeBytes }) => [group, sizeBytes])).toEqual([
      ['fast', 200],
      ['slow', 200],
    ])
  })

  test('a cap in time overrules them too', () => {
    const plan = selectForDeletion(inputOf({ retentionMs: 0, holdMsMax: 150 }, { holds }))
    expect(plan.deletions.map(({ before }) => before)).toEqual([40])
    expect(plan.overruled).toEqual(['fast', 'slow'])
  })

  test('what was deleted by its owner, before the log start offset, is not held', () => {
    const plan = selectForDeletion(inputOf({}, { holds, logStartOffset: 40 }))
    expect(plan.deletions.map(({ before }) => before)).toEqual([40])
    expect(plan.held).toEqual([])
  })
})

test('whatever is given, a prefix goes, nothing needed goes, and every segment has a reason', () => {
  const seed = seedFromEnvironment('retention')
  const random = new Random(seed)
  for (let round = 0; round < 500; round++) {
    const segments = segmentsOf(random.int(8)).map((segment) => ({
      ...segment,
      sizeBytes: random.int(3) * 50,
      maxTimestamp: random.bool(0.2) ? -1 : nowMs - random.int(1000),
    }))
    const end = segments.length * 10
    const policy: CleaningPolicy = {
      cleanupPolicy: random.pick([['delete'], ['compact'], ['compact', 'delete'], []] as const),
      retentionMs: random.int(1200) - 1,
      retentionBytes: random.int(600) - 1,
    }
    const highWatermark = random.int(end + 1)
    const holds = [{ group: 'g', committedOffset: random.int(end + 1) }]
    const logStartOffset = random.int(highWatermark + 1)
    const input = inputOf(policy, { segments, highWatermark, holds, logStartOffset })
    const { decisions, deletions } = selectForDeletion(input)
    const where = `VARVE_SEED=${seed}, round ${round}`
    const deleted = decisions.filter(({ isDeleted }) => isDeleted)
    expect(decisions.slice(0, deleted.length), where).toEqual(deleted)
    expect(
      decisions.map(({ segment }) => segment),
      where,
    ).toEqual(segments)
    expect(
      deletions.flatMap(({ segments: gone }) => gone),
      where,
    ).toEqual(deleted.map(({ segment }) => segment))
    for (const { segment, reason } of deleted) {
      expect(segment.nextOffset <= highWatermark, where).toBe(true)
      if (reason === 'logStartOffset') continue
      expect(segment.nextOffset <= (holds[0]?.committedOffset ?? 0), where).toBe(true)
    }
  }
})
