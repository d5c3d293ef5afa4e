import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, expect, test } from 'vitest'
import { removingWhatIsMade } from '../../src/bench/made-directories.ts'
import { run } from '../captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

test('directories that are made for a run go with it where they are empty', async () => {
  const [there, made] = [`${temporary.path}/there`, `${temporary.path}/there/a/b`]
  mkdirSync(there)
  const run = () => removingWhatIsMade([made, there, null, 'kafka://h:1'], async () => 'result')
  const failing = removingWhatIsMade([made], async () => {
    mkdirSync(made, { recursive: true })
    throw new Error('on purpose')
  })
  await expect(failing).rejects.toThrow('on purpose')
  expect([existsSync(there), existsSync(`${there}/a`)]).toEqual([true, false])
  expect(await run()).toBe('result')
  await removingWhatIsMade([made], async () => {
    mkdirSync(made, { recursive: true })
    writeFileSync(`${there}/a/report.html`, '')
  })
  expect([existsSync(`${there}/a/report.html`), existsSync(made)]).toEqual([true, false])
  mkdirSync(made)
  await run()
  expect(existsSync(made)).toBe(true)
})

test.each([
  ['produce', '--records', '5', '--warmup', '0'],
  ['recover', '--size', '1MiB', '--repeat', '1'],
  ['produce', '--records', '5', '--warmup', '0', '--rate', '-2'],
])('varve bench %s leaves no directory behind that was not there', async (...argv) => {
  const data = `${temporary.path}/new/data`
  await run('bench', ...argv, '--data', data, '--json')
  expect(existsSync(`${temporary.path}/new`)).toBe(false)
})

test('what a run is to keep stays', async () => {
  const data = `${temporary.path}/kept`
  await run('bench', 'produce', '--records', '5', '--warmup', '0', '--keep', '--data', data)
  expect(existsSync(data)).toBe(true)
})
