import { writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { readGivenFile } from '../src/given-file.ts'
import { run } from './captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())
const { path } = temporary

test('a file that an option names is read whole', () => {
  writeFileSync(`${path}/file`, 'what it says')
  expect(readGivenFile('--config', `${path}/file`).toString()).toBe('what it says')
})

describe('an option whose file', () => {
  const place = ['--bootstrap-server', '127.0.0.1:1']
  writeFileSync(`${path}/tls`, `security.protocol=SSL\nssl.ca.location=${path}\n`)

  test.each([
    ['--config', ['serve', '--data', path, '--config', path]],
    ['--http-token-file', ['serve', '--data', path, '--http-token-file', path]],
    ['--command-config', ['topic', 'list', ...place, '--command-config', path]],
    ['ssl.ca.location', ['topic', 'list', ...place, '--command-config', `${path}/tls`]],
    ['--payload-file', ['bench', 'produce', '--payload-file', path]],
  ])('is a directory says so: %s', async (option, argv) => {
    const { code, err } = await run(...argv)
    expect(err).toBe(`varve: ${option} is '${path}': must be a file, and is a directory\n`)
    expect(code).toBe(2)
  })

  test('is not there says so', async () => {
    const { code, err } = await run('serve', '--data', path, '--config', `${path}/none`)
    expect([code, err]).toEqual([2, `varve: --config is '${path}/none': is not there\n`])
  })
})
