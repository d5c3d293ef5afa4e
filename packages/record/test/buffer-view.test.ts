import assert from 'node:assert/strict'
import { expect, test } from 'vitest'
import { viewIn } from '../src/buffer-view.ts'

test('a view is a buffer like any other, of the same memory', () => {
  const bytes = Buffer.from('0123456789').subarray(2)
  const view = viewIn(bytes.buffer, bytes.byteOffset + 3, 4)
  expect(view.toString()).toBe('5678')
  // Prototype and all: users compare keys and values with buffers of their own.
  assert.deepStrictEqual(view, Buffer.from('5678'))
  expect(Buffer.isBuffer(view)).toBe(true)
  expect(view.buffer).toBe(bytes.buffer)
  bytes[3] = 'x'.charCodeAt(0)
  expect(view.toString()).toBe('x678')
  expect(view.subarray(1).toString()).toBe('678')
})

test('an empty view lies anywhere, the end included', () => {
  const bytes = Buffer.from('abc')
  expect(viewIn(bytes.buffer, bytes.byteOffset + 3, 0).length).toBe(0)
})
