import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { attempt, NotRetriable } from '../../src/handling/attempts.ts'
import { fixedRetry } from '../../src/handling/retry-policy.ts'

function contextOf(maxAttempts = 5) {
  const clock = new ManualClock()
  const controller = new AbortController()
  const policy = fixedRetry({ delayMs: 100, maxAttempts })
  return {
    clock,
    controller,
    context: { clock, policy, random: () => 0.5, signal: controller.signal },
  }
}

const turn = () => new Promise(setImmediate)

test('what fails is tried again after the policy’s wait, and counted', async () => {
  const { clock, context } = contextOf()
  const seen: number[] = []
  const outcome = attempt((count) => {
    seen.push(count)
    if (count < 3) throw new Error('not yet')
  }, context)
  await turn()
  expect(seen).toEqual([1])
  clock.advance(99)
  await turn()
  expect(seen).toEqual([1])
  clock.advance(1)
  await turn()
  clock.advance(100)
  expect(await outcome).toEqual({ kind: 'handled', attempts: 3 })
})

test('the last error is told when the policy gives up', async () => {
  const { clock, context } = contextOf(2)
  const outcome = attempt((count) => Promise.reject(new Error(`no ${count}`)), context)
  await turn()
  clock.advance(100)
  expect(await outcome).toMatchObject({ kind: 'failed', attempts: 2, error: { message: 'no 2' } })
})

test('an error that says so is not tried again', async () => {
  const { context } = contextOf()
  const fail = () => Promise.reject(new NotRetriable('never'))
  expect(await attempt(fail, context)).toMatchObject({ kind: 'failed', attempts: 1 })
})

test('the signal ends a wait, and a handler that fails for it has not failed', async () => {
  const { controller, context, clock } = contextOf()
  const waiting = attempt(() => Promise.reject(new Error('no')), context)
  await turn()
  controller.abort()
  expect(await waiting).toEqual({ kind: 'stopped', attempts: 1 })
  expect(clock.pendingTimers).toBe(0)
  expect(await attempt(() => Promise.reject(new Error('aborted')), context)).toMatchObject({
    kind: 'stopped',
  })
  expect(await attempt(() => undefined, context)).toMatchObject({ kind: 'handled' })
})
