import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../src/testing/index.ts'

test('a temporary directory is new, and goes with what is in it', () => {
  const first = makeTemporaryDirectory()
  const second = makeTemporaryDirectory()
  expect(first.path).not.toBe(second.path)
  writeFileSync(join(first.path, 'a'), 'x')
  first.remove()
  first.remove()
  expect(existsSync(first.path)).toBe(false)
  expect(existsSync(second.path)).toBe(true)
  second[Symbol.dispose]()
  expect(existsSync(second.path)).toBe(false)
})
