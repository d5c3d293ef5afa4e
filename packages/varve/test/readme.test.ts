import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { openDataDirectory, openTarget, Repository } from '../src/index.ts'

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

test("the program of the package's own README runs as it stands there", () => {
  using temporary = makeTemporaryDirectory()
  const page = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const program = /```ts\n(.*?)```/s.exec(page)?.[1] ?? ''
  const path = join(temporary.path, 'program.mjs')
  writeFileSync(path, program.replace("'varve'", `'${compiled}'`))
  const output = execFileSync(process.execPath, [path], { cwd: temporary.path, timeout: 30_000 })
  expect(output.toString()).toBe('0 o-17 paid\n')
})

test('the programs of docs/backup.md run as they stand there', async () => {
  using temporary = makeTemporaryDirectory()
  const page = readFileSync(join(import.meta.dirname, '../../../docs/backup.md'), 'utf8')
  const programs = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, program = '']) => program)
  expect(programs).toHaveLength(2)
  await backUp(temporary.path)
  const outputs = programs.map((program, index) => {
    const path = join(temporary.path, `program-${index}.mjs`)
    writeFileSync(path, program.replaceAll("'varve'", `'${compiled}'`))
    const output = execFileSync(process.execPath, [path], { cwd: temporary.path, timeout: 30_000 })
    return output.toString()
  })
  expect(outputs).toEqual(['3\n', ''])
})

/** A data directory with three records, and a backup of it. */
async function backUp(path: string): Promise<void> {
  await using varve = await openDataDirectory(`${path}/data`)
  await varve.createTopic('orders')
  const producer = varve.producer()
  await Promise.all(['1', '2', '3'].map((value) => producer.send('orders', { value })))
  await producer.close()
  const target = await openTarget(`${path}/backups`)
  await using repository = await Repository.create(target)
  await varve.backup(repository)
}

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
