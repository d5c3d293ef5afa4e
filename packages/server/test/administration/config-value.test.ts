import { expect, test } from 'vitest'
import {
  formatConfigValue,
  invalidConfig,
  parseConfigValue,
} from '../../src/administration/config-value.ts'
import { RequestRefusedError } from '../../src/base/server-errors.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'

test.each([
  ['boolean', ' TRUE ', true],
  ['boolean', 'false', false],
  ['int', '+7', 7],
  ['int', '-2147483648', -2147483648],
  ['short', '32767', 32767],
  ['long', '9007199254740991', Number.MAX_SAFE_INTEGER],
  ['long', '9223372036854775807', Number.MAX_SAFE_INTEGER],
  ['long', '-9223372036854775808', -Number.MAX_SAFE_INTEGER],
  ['double', '0.5', 0.5],
  ['double', '1e3', 1000],
  ['list', ' a , b', ['a', 'b']],
  ['list', '', []],
  ['string', ' lz4 ', 'lz4'],
] as const)('%s %j is %j', (type, text, value) => {
  expect(parseConfigValue('some.name', type, text)).toEqual(value)
})

test.each([
  ['boolean', 'yes'],
  ['int', '2147483648'],
  ['int', '1.5'],
  ['int', ''],
  ['short', '32768'],
  ['long', '9223372036854775808'],
  ['long', '9'.repeat(1_000_000)],
  ['long', '0x10'],
  ['double', 'NaN'],
  ['double', ''],
] as const)('%s %.20j is refused', (type, text) => {
  expect(() => parseConfigValue('some.name', type, text)).toThrow(RequestRefusedError)
})

test('values are written as Kafka writes them', () => {
  expect(formatConfigValue(['a', 'b'])).toBe('a,b')
  expect(formatConfigValue(Number.MAX_SAFE_INTEGER)).toBe('9223372036854775807')
  expect(formatConfigValue(0.5)).toBe('0.5')
  expect(formatConfigValue(true)).toBe('true')
})

test('a long value that is refused is not repeated whole', () => {
  const error = invalidConfig('a', 'x'.repeat(1000), 'it is short')
  expect(error.kafkaErrorCode).toBe(errorCodes.INVALID_CONFIG)
  expect(error.message.length).toBeLessThan(200)
})
