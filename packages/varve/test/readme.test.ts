import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'

const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')
const compiled = pathToFileURL(join(import.meta.dirname, '../dist/index.js')).href

test("the README's program runs as it stands there, in an empty directory, and again", () => {
  using temporary = makeTemporaryDirectory()
  const program = /## As a library\n+```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
  expect(program).toContain("from 'varve'")
  const path = join(temporary.path, 'program.mjs')
  writeFileSync(path, program.replace("'varve'", `'${compiled}'`))
  const run = (): string[] => {
    const output = execFileSync(process.execPath, [path], { cwd: temporary.path, timeout: 30_000 })
    return output.toString().trim().split('\n').sort()
  }
  // The group goes on where it was: the second run prints what the second run has sent, once.
  const lines = ['o-17 paid', 'o-18 paid', 'o-19 paid']
  expect(run()).toEqual(lines)
  expect(run()).toEqual(lines)
})

test("the README's server runs as it stands there", () => {
  using temporary = makeTemporaryDirectory()
  const program = /## As a server\n.*?```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
  expect(program).toContain("from 'varve/server'")
  const path = join(temporary.path, 'program.mjs')
  const server = pathToFileURL(join(import.meta.dirname, '../dist/server.js')).href
  writeFileSync(path, program.replace("'varve/server'", `'${server}'`))
  const output = execFileSync(process.execPath, [path], { cwd: temporary.path, timeout: 30_000 })
  expect(output.toString()).toMatch(/^127\.0\.0\.1:\d+\n$/)
})
