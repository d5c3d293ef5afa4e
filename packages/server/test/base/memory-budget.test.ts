import { expect, test } from 'vitest'
import { MemoryBudget } from '../../src/base/memory-budget.ts'

test('those who wait for room are called once, when there is some', () => {
  const memory = new MemoryBudget(100)
  let calls = 0
  memory.take(60)
  expect(memory.isFull).toBe(false)
  memory.take(60)
  expect(memory.isFull).toBe(true)
  memory.onRoom(() => calls++)
  const takeBack = memory.onRoom(() => calls++)
  takeBack()
  memory.giveBack(10)
  expect(calls).toBe(0)
  memory.giveBack(50)
  memory.giveBack(60)
  expect(calls).toBe(1)
  expect(memory.usedBytes).toBe(0)
})
