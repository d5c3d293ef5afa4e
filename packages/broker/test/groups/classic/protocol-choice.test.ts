import { expect, test } from 'vitest'
import { chooseProtocol, commonProtocols } from '../../../src/groups/classic/protocol-choice.ts'

const offerAll = (names: readonly string[]) => ({
  protocols: names.map((name) => ({ name, metadata: Buffer.alloc(0) })),
})
const offer = (...names: string[]) => offerAll(names)

test('only what all members offer is common', () => {
  expect(commonProtocols([])).toBeNull()
  expect(commonProtocols([offer('a', 'b', 'c'), offer('c', 'b')])).toEqual(['b', 'c'])
  expect(commonProtocols([offer('a'), offer('b')])).toEqual([])
})

test('each member votes for the first that all have, and the most votes win', () => {
  expect(chooseProtocol([offer('a', 'b'), offer('x', 'b', 'a'), offer('b', 'a')])).toBe('b')
  expect(chooseProtocol([offer('a', 'b'), offer('b', 'a')])).toBe('a')
})

test('members that offer two hundred thousand are not compared one by one', () => {
  const names = Array.from({ length: 200_000 }, (_, index) => `p${index}`)
  const started = performance.now()
  expect(chooseProtocol([offerAll(names), offerAll(names.toReversed())])).toBe('p0')
  expect(performance.now() - started).toBeLessThan(5000)
})
