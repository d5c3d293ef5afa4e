import { expect, test } from 'vitest'
import { RequestLine } from '../../src/net/request-line.ts'
import { RequestMemory } from '../../src/net/request-memory.ts'

const mib = 2 ** 20

function lineOf(...sizes: readonly number[]) {
  const memory = new RequestMemory(100 * mib)
  const line = new RequestLine(memory)
  for (const size of sizes) line.add(Buffer.alloc(size))
  return { line, memory }
}

test('one that does not overlap is begun alone', () => {
  const { line } = lineOf(10, 10, 10)
  expect(line.mayBegin(false)).toBe(true)
  line.begin(false)
  expect(line.mayBegin(true)).toBe(false)
})

test('those that overlap are begun together, as many bytes as there is room for', () => {
  const { line } = lineOf(3 * mib, 0.9 * mib, 0.1 * mib)
  line.begin(true)
  expect(line.mayBegin(false)).toBe(false)
  expect(line.mayBegin(true)).toBe(true)
  line.begin(true)
  expect(line.mayBegin(true)).toBe(false)
  expect(line).toMatchObject({ length: 3, isAnyBegun: true, isFull: false })
})

test('and as many as there may be', () => {
  const { line } = lineOf(...new Array<number>(300).fill(1))
  let count = 0
  for (; line.mayBegin(true); count++) line.begin(true)
  expect(count).toBe(256)
})

test('they leave in their order, and only then their memory is free', () => {
  const { line, memory } = lineOf(10, 20)
  const { usedBytes } = memory
  const first = line.begin(true)
  const second = line.begin(true)
  second.isAnswered = true
  expect(line.takeAnswered()).toBeNull()
  first.isAnswered = true
  expect(memory.usedBytes).toBe(usedBytes)
  expect([line.takeAnswered(), line.takeAnswered()]).toEqual([first, second])
  expect(line.takeAnswered()).toBeNull()
  expect(memory.usedBytes).toBe(0)
})

test('what waits makes it full, and whoever is gone leaves nothing behind', () => {
  const { line, memory } = lineOf(3 * mib, 5 * mib)
  expect(line.isFull).toBe(true)
  line.begin(true)
  line.dropWaiting()
  expect(Math.round(memory.usedBytes / mib)).toBe(3)
  expect(line.isFull).toBe(false)
  line.add(Buffer.alloc(10))
  line.dropBegun()
  line.dropWaiting()
  expect(memory.usedBytes).toBe(0)
  expect(line.length).toBe(0)
})

test('the smallest count for what they take, too', () => {
  const { line, memory } = lineOf()
  let count = 0
  for (; !line.isFull; count++) line.add(Buffer.alloc(10))
  expect(count).toBeLessThan(50_000)
  expect(memory.usedBytes).toBeGreaterThan(count * 100)
})
