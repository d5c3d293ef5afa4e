import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sideBySide } from '../../src/group/side-by-side.ts'

test('items are used side by side, so many at a time, and the results keep their order', async () => {
  let now = 0
  let most = 0
  const results = await sideBySide([5, 1, 4, 2, 3, 0], 3, async (turns) => {
    now += 1
    most = Math.max(most, now)
    for (let turn = 0; turn < turns; turn += 1) await setImmediate()
    now -= 1
    return turns * 10
  })
  expect(results).toEqual([50, 10, 40, 20, 30, 0])
  expect(most).toBe(3)
  expect(await sideBySide([], 3, async () => 1)).toEqual([])
})

test('where one fails no other is begun', async () => {
  const begun: number[] = []
  const using = sideBySide([0, 1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item)
    await setImmediate()
    if (item === 1) throw new Error('one has failed')
  })
  await expect(using).rejects.toThrow('one has failed')
  await setImmediate()
  await setImmediate()
  expect(begun).not.toContain(5)
})
