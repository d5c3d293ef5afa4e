import { ClosedError } from '@varve/broker'
import { expect, test } from 'vitest'
import { ParkedRequests } from '../../src/groups/parked-requests.ts'

test('what is waited for is given when it comes before the end, and else refused', async () => {
  const stopping = new AbortController()
  const parked = new ParkedRequests(stopping.signal)
  expect(await parked.park(Promise.resolve(1))).toBe(1)
  await expect(parked.park(Promise.reject(new Error('no')))).rejects.toThrow('no')
  const waiting = parked.park(new Promise(() => undefined))
  stopping.abort()
  await expect(waiting).rejects.toBeInstanceOf(ClosedError)
  await expect(parked.park(new Promise(() => undefined))).rejects.toBeInstanceOf(ClosedError)
})
