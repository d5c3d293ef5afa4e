import { expect, test } from 'vitest'
import { listOf, parseAddress, parseAddresses } from '../../src/properties/listener-addresses.ts'

test('addresses have a name or none, and any kind of host', () => {
  expect(parseAddress('x', 'localhost:9092')).toEqual({ name: null, host: 'localhost', port: 9092 })
  expect(parseAddress('x', 'sasl_ssl://[::1]:1')).toEqual({
    name: 'SASL_SSL',
    host: '::1',
    port: 1,
  })
  expect(parseAddress('x', 'PLAINTEXT://:0')).toEqual({ name: 'PLAINTEXT', host: '', port: 0 })
  expect(parseAddresses('x', 'A://a:1, B://b:2,')).toHaveLength(2)
})

test('what is none is refused', () => {
  for (const text of ['', 'localhost', 'a:b:1', 'x://y', 'x://a/b:1', '[::1:1', 'a:123456']) {
    expect(() => parseAddress('--listen', text), text).toThrow(/--listen/)
  }
})

test('lists leave out what is empty', () => {
  expect(listOf(' a ,,b, ')).toEqual(['a', 'b'])
})
