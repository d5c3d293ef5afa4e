import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { resolveConnectionLimits } from '../../src/base/connection-limits.ts'
import { Admission, type Admitted, type Refusal } from '../../src/net/admission.ts'

class TestVisitor {
  readonly host: string
  isDestroyed = false

  constructor(host: string) {
    this.host = host
  }

  destroy(): void {
    this.isDestroyed = true
  }
}

function make(limits: Parameters<typeof resolveConnectionLimits>[0]) {
  const clock = new ManualClock()
  const admission = new Admission(resolveConnectionLimits(limits), clock, {
    admitsConnection: (host) => host !== 'hasty',
  })
  const enter = (host = 'a') => {
    const visitor = new TestVisitor(host)
    return { visitor, answer: admission.enter(visitor, 'PLAINTEXT') }
  }
  return { admission, clock, enter }
}

function admitted(answer: Admitted | Refusal): Admitted {
  if (typeof answer === 'string') throw new Error(answer)
  return answer
}

test('the newcomer that has waited longest makes room for another', () => {
  const { admission, enter } = make({ connectionsMax: 100, newcomersMax: 2 })
  const [first, second, third] = [enter(), enter(), enter()]
  expect(first.visitor.isDestroyed).toBe(true)
  expect(second.visitor.isDestroyed).toBe(false)
  admitted(third.answer).settle()
  expect(admission.newcomers).toBe(1)
  enter()
  expect(second.visitor.isDestroyed).toBe(false)
  expect(third.visitor.isDestroyed).toBe(false)
})

test('those that are settled are not closed for others, which are refused then', () => {
  const { admission, enter } = make({ connectionsMax: 2, newcomersMax: 2 })
  const settled = [enter(), enter()]
  for (const { answer } of settled) admitted(answer).settle()
  expect(enter().answer).toBe('too many connections')
  const [first] = settled
  if (first !== undefined) {
    admitted(first.answer).leave()
    admitted(first.answer).leave()
  }
  expect(admission.count).toBe(1)
  expect(typeof enter().answer).toBe('object')
})

test('an address has only so many connections, others not fewer for that', () => {
  const { enter } = make({ connectionsPerAddressMax: 2 })
  const first = enter('a')
  enter('a')
  expect(enter('a').answer).toBe('too many from its address')
  expect(typeof enter('b').answer).toBe('object')
  admitted(first.answer).leave()
  expect(typeof enter('a').answer).toBe('object')
})

test('connections come at a pace, each second anew', () => {
  const { clock, enter } = make({ connectionsPerSecondMax: 2 })
  enter()
  enter()
  expect(enter().answer).toBe('too many a second')
  clock.advance(1000)
  expect(typeof enter().answer).toBe('object')
})
