import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { defaultCleaningPolicy, resolveCleaningPolicy } from '../../src/policy/cleaning-policy.ts'

test("defaults are Kafka's", () => {
  expect(resolveCleaningPolicy()).toMatchObject({
    cleanupPolicy: ['delete'],
    retentionMs: 604_800_000,
    retentionBytes: -1,
    deleteRetentionMs: 86_400_000,
    minCleanableDirtyRatio: 0.5,
    minCompactionLagMs: 0,
  })
  expect(resolveCleaningPolicy({ retentionMs: 5 })).toEqual({
    ...defaultCleaningPolicy,
    retentionMs: 5,
  })
})

test.each([
  [{ retentionMs: -2 }],
  [{ retentionBytes: 0.5 }],
  [{ minCleanableDirtyRatio: 1.5 }],
  [{ minCompactionLagMs: 10, maxCompactionLagMs: 9 }],
  [{ cleanupPolicy: ['compress'] }],
  [{ cleanupPolicy: 'compact' }],
  [{ retentionHours: 5 }],
])('%j is refused', (policy) => {
  expect(() => resolveCleaningPolicy(policy as never)).toThrow(InvalidArgumentError)
})
