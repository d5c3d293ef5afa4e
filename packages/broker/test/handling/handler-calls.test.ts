import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { HandlerCalls } from '../../src/handling/handler-calls.ts'
import { HandlerRunningError } from '../../src/handling/handling-errors.ts'
import { errorOf, newMachine, openOn, turns } from '../broker-fixture.ts'

const never = new Promise<void>(() => undefined)

test('closing is waited for from outside, with what comes of it', async () => {
  const [calls, clock] = [new HandlerCalls(), new ManualClock()]
  await calls.call(() => Promise.resolve())
  await calls.whenClosed(Promise.resolve(), clock)
  await errorOf(calls.whenClosed(Promise.reject(new RangeError('x')), clock), RangeError)
  expect(() =>
    calls.call(() => {
      throw new RangeError('in a handler')
    }),
  ).toThrow(RangeError)
  await calls.whenClosed(Promise.resolve(), clock)
})

test('in a handler it is refused, also in one within another', async () => {
  const [calls, clock] = [new HandlerCalls(), new ManualClock()]
  await calls.call(async () => {
    await errorOf(calls.whenClosed(never, clock), HandlerRunningError)
  })
  await calls.call(() => {
    void calls.call(() => undefined)
    return errorOf(calls.whenClosed(never, clock), HandlerRunningError).then(() => undefined)
  })
})

for (const when of ['at once', 'after something else']) {
  test(`a handler of a group that waits ${when} for all to close is told, and all closes`, async () => {
    const machine = newMachine()
    const varve = await openOn(machine)
    await varve.createTopic('t')
    for (const value of ['a', 'b']) await varve.log('t', 0).append({ value })
    const consumer = varve.consumer({ group: 'g', topics: ['t'] })
    let told: unknown = null
    const seen: string[] = []
    const running = consumer.run({
      handler: async ({ value }) => {
        seen.push(String(value))
        if (when !== 'at once') await turns(1)
        const closing = varve.close().catch((error: unknown) => {
          told = error
        })
        if (when !== 'at once') {
          await turns(20)
          expect(told).toBeNull()
          machine.clock.advance(240_000)
        }
        await closing
      },
    })
    await running
    expect(told).toBeInstanceOf(HandlerRunningError)
    await varve.close()
    expect(seen).toEqual(['a'])
    // It was handled, and its commit was waited for.
    await using next = await openOn(machine)
    const again = next.consumer({ group: 'g', topics: ['t'] })
    expect(String((await again.next()).value?.value)).toBe('b')
  })
}
