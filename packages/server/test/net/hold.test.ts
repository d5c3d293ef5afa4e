import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { Hold } from '../../src/net/hold.ts'
import { RequestMemory } from '../../src/net/request-memory.ts'

test('a hold lasts as long as the longest that was asked for', () => {
  const clock = new ManualClock()
  let ends = 0
  const hold = new Hold({
    ...{ clock, memory: new RequestMemory(100), giveUp: () => undefined },
    ended: () => ends++,
  })
  hold.begin(1000)
  hold.begin(100)
  clock.advance(500)
  expect(hold.isOn).toBe(true)
  hold.begin(600)
  clock.advance(599)
  expect(hold.isOn).toBe(true)
  clock.advance(1)
  expect([hold.isOn, ends]).toEqual([false, 1])
  hold.end()
  expect(ends).toBe(1)
})

test('of those whose requests wait, the one that holds back longest is given up for memory', () => {
  const clock = new ManualClock()
  const memory = new RequestMemory(100)
  const givenUp: string[] = []
  const holdOf = (name: string): Hold => {
    const hold = new Hold({
      ...{ clock, memory, ended: () => undefined },
      giveUp: () => givenUp.push(name),
    })
    hold.keepRequests()
    hold.begin(1000)
    return hold
  }
  holdOf('keeps nothing')
  const over = holdOf('is over')
  over.keepRequests()
  over.end()
  for (const name of ['a', 'b']) holdOf(name).keepRequests()
  memory.take(99)
  expect(givenUp).toEqual([])
  memory.take(1)
  expect(givenUp).toEqual(['a'])
})
