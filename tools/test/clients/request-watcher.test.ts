import { expect, test } from 'vitest'
import { type RequestFacts, RequestWatcher } from '../../src/clients/request-watcher.ts'

function request(apiKey: number, version: number, clientId: string, body: Buffer): Buffer {
  const head = Buffer.alloc(14)
  head.writeUInt32BE(10 + clientId.length + body.length, 0)
  head.writeInt16BE(apiKey, 4)
  head.writeInt16BE(version, 6)
  head.writeInt16BE(clientId.length, 12)
  return Buffer.concat([head, Buffer.from(clientId), body])
}

const named = Buffer.from('\0\x07tester\x041.2\0', 'latin1')
const stream = Buffer.concat([
  request(18, 3, 'me', named),
  request(0, 9, 'me', Buffer.alloc(2000, 7)),
  request(3, 12, '', Buffer.alloc(1)),
])
const facts: readonly RequestFacts[] = [
  { apiKey: 18, version: 3, clientId: 'me', software: 'tester 1.2' },
  { apiKey: 0, version: 9, clientId: 'me', software: 'tester 1.2' },
  { apiKey: 3, version: 12, clientId: '', software: 'tester 1.2' },
]

test.each([1, 3, 7, 1000, 10_000])('requests are told apart in pieces of %d bytes', (size) => {
  const seen: RequestFacts[] = []
  const watcher = new RequestWatcher((found) => seen.push(found))
  for (let at = 0; at < stream.length; at += size) watcher.take(stream.subarray(at, at + size))
  expect(seen).toEqual(facts)
})

test('a client that names no software has none', () => {
  const seen: RequestFacts[] = []
  new RequestWatcher((found) => seen.push(found)).take(request(18, 0, 'old', Buffer.alloc(0)))
  expect(seen).toEqual([{ apiKey: 18, version: 0, clientId: 'old', software: null }])
})
