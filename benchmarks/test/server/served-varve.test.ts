import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test, vi } from 'vitest'
import { serveVarve } from '../../src/server/served-varve.ts'

const compiled = fileURLToPath(new URL('../../dist/server/served-varve.js', import.meta.url))

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a served directory is there until it is told to end', async () => {
  using temporary = makeTemporaryDirectory()
  const { pid, stop } = await serveVarve(`${temporary.path}/data`)
  expect(isAlive(pid)).toBe(true)
  await stop()
  expect(isAlive(pid)).toBe(false)
  expect(existsSync(`${temporary.path}/data/.kafka_cleanshutdown`)).toBe(true)
})

// `npm test` compiles first; without that there is nothing to start.
test.skipIf(!existsSync(compiled))('it ends with who started it, who was killed', async () => {
  using temporary = makeTemporaryDirectory()
  const program = `const { serveVarve } = await import(${JSON.stringify(compiled)})
    console.log((await serveVarve(${JSON.stringify(`${temporary.path}/data`)})).pid)`
  const starter = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  })
  const [line] = (await once(starter.stdout, 'data')) as [Buffer]
  const pid = Number(String(line))
  expect(isAlive(pid)).toBe(true)
  starter.kill('SIGKILL')
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000 })
})
