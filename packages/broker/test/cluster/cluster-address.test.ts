import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { isClusterAddress, parseClusterAddress } from '../../src/cluster/cluster-address.ts'

test('an address names brokers, each with its port or the usual one, with TLS or without', () => {
  expect(parseClusterAddress('kafka://a.example:9093,b,[::1]:9094')).toEqual({
    isTls: false,
    brokers: [
      { host: 'a.example', port: 9093 },
      { host: 'b', port: 9092 },
      { host: '::1', port: 9094 },
    ],
  })
  expect(parseClusterAddress('kafka+tls://a/')).toMatchObject({ isTls: true })
})

test('paths are no addresses of clusters', () => {
  for (const path of ['./data', '/var/kafka', 'kafka', 'C:\\data']) {
    expect(isClusterAddress(path)).toBe(false)
  }
  for (const address of ['kafka://a', 'kafka+tls://a', 'kafka:', 'kafka+ssl://a']) {
    expect(isClusterAddress(address)).toBe(true)
  }
})

test.each([
  'kafka:',
  'kafka://',
  'kafka+ssl://a',
  'kafka://a:0',
  'kafka://a:99999',
  'kafka://a,,b',
  'kafka://a/topic',
  'kafka://me:secret@a',
  'kafka://a?password=secret',
])('%s is refused, and not repeated', (address) => {
  const parse = () => parseClusterAddress(address)
  expect(parse).toThrow(InvalidArgumentError)
  expect(parse).not.toThrow(/secret/)
})
