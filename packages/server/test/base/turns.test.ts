import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { Turns, turnMsMax } from '../../src/base/turns.ts'

const items = Array.from({ length: 100 }, (_, index) => index)

function made() {
  const clock = new ManualClock()
  const pauses: (() => void)[] = []
  const giveWay = () => new Promise<void>((resolve) => pauses.push(resolve))
  return { clock, pauses, turns: new Turns(clock, giveWay) }
}

async function settle(): Promise<void> {
  for (let index = 0; index < 10; index++) await Promise.resolve()
}

test('what takes no time is done at once, in one turn', async () => {
  const { turns, pauses } = made()
  const seen: number[] = []
  const mapped = turns.map(items, (item) => seen.push(item))
  expect(seen).toEqual(items)
  expect(await mapped).toHaveLength(items.length)
  expect(pauses).toEqual([])
})

test('after many steps others have their turn in any case', async () => {
  const { turns, pauses } = made()
  const mapped = turns.map([...items, ...items], (item) => item)
  expect(pauses).toHaveLength(1)
  pauses[0]?.()
  expect(await mapped).toEqual([...items, ...items])
})

test('steps without results are taken in turns, and at once where one turn is enough', async () => {
  const { turns, pauses } = made()
  const seen: number[] = []
  expect(turns.each(items, (item) => seen.push(item))).toBeUndefined()
  expect(seen).toEqual(items)
  const taken = turns.each(items, (item) => seen.push(item))
  expect(seen.length).toBeLessThan(2 * items.length)
  pauses[0]?.()
  await taken
  expect(seen).toEqual([...items, ...items])
})

test('what takes long is done in turns, and nested lists share them', async () => {
  const { turns, clock, pauses } = made()
  let steps = 0
  const mapped = turns.map([items, items], (each) => {
    return turns.map(each, (item) => {
      steps++
      clock.advance(turnMsMax / 20)
      return item
    })
  })
  let turnsTaken = 1
  for (let next = pauses.pop(); next !== undefined; next = pauses.pop()) {
    expect(steps).toBeLessThanOrEqual(turnsTaken * 40)
    turnsTaken++
    next()
    await settle()
  }
  expect(await mapped).toEqual([items, items])
  expect(turnsTaken).toBeGreaterThanOrEqual(5)
})

test('what is late is waited for together, and what fails before that is told in the end', async () => {
  const { turns, clock, pauses } = made()
  const mapped = turns.map(items, async (item) => {
    clock.advance(turnMsMax)
    if (item === 3) throw new Error('the third')
    return item
  })
  const failure = expect(mapped).rejects.toThrow('the third')
  for (let next = pauses.pop(); next !== undefined; next = pauses.pop()) {
    next()
    await settle()
  }
  await failure
})
