import { expect, test } from 'vitest'
import { sameAddress } from '../../src/security/address.ts'

test.each([
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1', '10.0.0.2', false],
  ['::1', '0:0:0:0:0:0:0:1', true],
  ['FE80::1', 'fe80::1', true],
  ['fe80::1', 'fe80::2', false],
  ['::1', '10.0.0.1', false],
  ['not:an:address', '::1', false],
])('%s and %s are the same address: %s', (one, other, expected) => {
  expect(sameAddress(one, other)).toBe(expected)
})
