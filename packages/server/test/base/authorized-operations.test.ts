import { expect, test } from 'vitest'
import type { Call } from '../../src/base/api-handler.ts'
import { authorizedOperations, operationsNotAsked } from '../../src/base/authorized-operations.ts'

test('what may be done is told as bits, by the numbers of the operations', () => {
  const call = { may: (operation: string) => operation === 'read' || operation === 'describe' }
  expect(authorizedOperations(call as unknown as Call, 'topic', 'orders')).toBe((1 << 3) | (1 << 8))
})

test('only operations that there are for a type are told', () => {
  const call = { may: () => true } as unknown as Call
  const bits = (...numbers: readonly number[]) => numbers.reduce((all, one) => all | (1 << one), 0)
  const topic = bits(3, 4, 5, 6, 7, 8, 10, 11)
  expect(authorizedOperations(call, 'topic', 'orders')).toBe(topic)
  expect(authorizedOperations(call, 'cluster', 'kafka-cluster')).toBe(bits(5, 7, 8, 9, 10, 11, 12))
  expect(operationsNotAsked).toBe(-2147483648)
})
