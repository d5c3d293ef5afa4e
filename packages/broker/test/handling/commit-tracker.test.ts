import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CommitTracker } from '../../src/handling/commit-tracker.ts'
import { checkProperty } from '../property.ts'

const t0 = { topic: 't', partition: 0 }

test('the first record that is not done is where a group would go on', () => {
  const tracker = new CommitTracker()
  for (const offset of [5, 6, 9]) tracker.began(t0, offset)
  tracker.done(t0, 6)
  expect(tracker.takeCommittable()).toEqual([])
  tracker.done(t0, 5)
  expect(tracker.takeCommittable()).toEqual([{ ...t0, offset: 9 }])
  expect(tracker.takeCommittable()).toEqual([])
  tracker.done(t0, 9)
  const last = tracker.takeCommittable()
  expect(last).toEqual([{ ...t0, offset: 10 }])
  tracker.giveBack(last)
  expect(tracker.takeCommittable()).toEqual(last)
  tracker.began(t0, 10)
  tracker.done(t0, 10)
  tracker.forget(t0)
  expect(tracker.takeCommittable()).toEqual([])
})

test('in any order of being done, nothing that is not done is ever below what is committed', async () => {
  const orders = fc.integer({ min: 1, max: 12 }).chain((count) =>
    fc.shuffledSubarray(
      Array.from({ length: count }, (_, offset) => offset),
      { minLength: count },
    ),
  )
  await checkProperty(orders, 100, (order) => {
    const tracker = new CommitTracker()
    const left = new Set(order)
    for (const offset of [...left].sort((one, other) => one - other)) tracker.began(t0, offset)
    for (const offset of order) {
      tracker.done(t0, offset)
      left.delete(offset)
      for (const commit of tracker.takeCommittable()) {
        for (const pending of left) expect(pending).toBeGreaterThanOrEqual(commit.offset)
      }
    }
    expect(left.size).toBe(0)
  })
})
