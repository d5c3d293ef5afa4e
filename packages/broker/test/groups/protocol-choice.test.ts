import { expect, test } from 'vitest'
import { chooseProtocol, commonProtocols } from '../../src/groups/protocol-choice.ts'

const offer = (...names: string[]) => ({
  protocols: names.map((name) => ({ name, metadata: Buffer.alloc(0) })),
})

test('only what all members offer is common', () => {
  expect(commonProtocols([])).toBeNull()
  expect(commonProtocols([offer('a', 'b', 'c'), offer('c', 'b')])).toEqual(['b', 'c'])
  expect(commonProtocols([offer('a'), offer('b')])).toEqual([])
})

test('each member votes for the first that all have, and the most votes win', () => {
  expect(chooseProtocol([offer('a', 'b'), offer('x', 'b', 'a'), offer('b', 'a')])).toBe('b')
  expect(chooseProtocol([offer('a', 'b'), offer('b', 'a')])).toBe('a')
})
