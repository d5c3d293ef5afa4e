import { execFileSync } from 'node:child_process'
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

test('what is left goes when the process ends, with one listener however much it is', () => {
  const compiled = new URL('../../dist/testing/index.js', import.meta.url).href
  const program = `
    const { makeTemporaryDirectory } = await import('${compiled}')
    const before = process.listenerCount('exit')
    const made = Array.from({ length: 20 }, makeTemporaryDirectory)
    made[3].remove()
    const listeners = process.listenerCount('exit') - before
    console.log(JSON.stringify([listeners, ...made.map(({ path }) => path)]))`
  const node = [process.execPath, ['--input-type=module', '-e', program]] as const
  const [listeners, ...paths]: string[] = JSON.parse(execFileSync(...node).toString())
  expect([listeners, paths.length]).toEqual([1, 20])
  expect(paths.filter((path) => existsSync(path))).toEqual([])
})
