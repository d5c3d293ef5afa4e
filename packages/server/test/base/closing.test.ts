import { ClosedError } from '@varve/broker'
import { expect, test } from 'vitest'
import { Closing } from '../../src/base/closing.ts'

test('those who wait are told once, and those who come later at once', () => {
  const closing = new Closing()
  const told: string[] = []
  closing.onBegun(() => told.push('a'))
  closing.onBegun(() => told.push('b'))()
  expect(closing.hasBegun).toBe(false)
  closing.begin()
  closing.begin()
  closing.onBegun(() => told.push('c'))
  expect([closing.hasBegun, told]).toEqual([true, ['a', 'c']])
})

test('what is waited for is given when it comes before the end, and else refused', async () => {
  const closing = new Closing()
  expect(await closing.orClosed(Promise.resolve(1))).toBe(1)
  await expect(closing.orClosed(Promise.reject(new Error('no')))).rejects.toThrow('no')
  const waiting = closing.orClosed(new Promise(() => undefined))
  closing.begin()
  await expect(waiting).rejects.toBeInstanceOf(ClosedError)
})
