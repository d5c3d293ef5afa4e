import { expect, test } from 'vitest'
import { CleaningPace } from '../src/cleaning-pace.ts'

test('a log that gets dirty faster than it is cleaned has shorter rests, down to none', () => {
  const pace = new CleaningPace(12)
  const rests: number[] = []
  for (let round = 0; round < 6; round++) {
    rests.push(pace.restMsOf('t-0'))
    pace.compacted('t-0', 1000, 600)
  }
  expect(rests).toEqual([12, 6, 3, 1.5, 0, 0])
  expect(pace.restMsOf('other-0')).toBe(12)
})

test('when it keeps up again rests grow to what they were, and no longer', () => {
  const pace = new CleaningPace(12)
  for (let round = 0; round < 5; round++) pace.compacted('t-0', 1000, 1000)
  const rests: number[] = []
  for (let round = 0; round < 6; round++) {
    pace.compacted('t-0', 1000, 100)
    rests.push(pace.restMsOf('t-0'))
  }
  expect(rests).toEqual([1, 2, 4, 8, 12, 12])
})

test('in between nothing changes, and a log that is gone leaves nothing behind', () => {
  const pace = new CleaningPace(12)
  pace.compacted('t-0', 1000, 600)
  pace.compacted('t-0', 1000, 300)
  pace.compacted('t-0', 0, 300)
  expect(pace.restMsOf('t-0')).toBe(6)
  pace.keepOnly(new Map([['other-0', true]]))
  expect(pace.restMsOf('t-0')).toBe(12)
})

test('who asked for no rests gets none', () => {
  const pace = new CleaningPace(0)
  pace.compacted('t-0', 1000, 0)
  expect(pace.restMsOf('t-0')).toBe(0)
})
