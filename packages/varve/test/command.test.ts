import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// The command as users run it: compiled, in a process of its own, with real pipes and signals.

const command = join(import.meta.dirname, '../bin/varve.js')
const temporary = makeTemporaryDirectory()
const data = `${temporary.path}/data`

beforeAll(() => {
  const built = join(import.meta.dirname, '../../cli/dist/main.js')
  if (!existsSync(built)) throw new Error('build first: npx tsc -b')
})
afterAll(() => temporary.remove())

function start(...argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [command, ...argv], { stdio: 'pipe' })
}

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
}

async function ended(child: ChildProcess): Promise<Ended> {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk) => {
    out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    err += chunk
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, out, err }
}

/** Resolves with the first output. */
async function firstOutput(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('its output is not read')
  const [chunk] = await once(child.stdout, 'data')
  return String(chunk)
}

describe('the command varve', () => {
  test('appends from a pipe and prints what it appended', async () => {
    const producing = start('produce', 'numbers', '--data', data, '--json')
    const lines = Array.from({ length: 100_000 }, (_, number) => `number ${number}\n`)
    producing.stdin?.end(lines.join(''))
    const { code, out, err } = await ended(producing)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({ records: 100_000, lastOffset: 99_999 })
    const consumed = await ended(start('consume', 'numbers', '--data', data, '--from', '99999'))
    expect(consumed).toMatchObject({ code: 0, out: 'number 99999\n' })
  })

  test('a reader that goes away ends it quietly', async () => {
    const consuming = start('consume', 'numbers', '--data', data)
    expect(await firstOutput(consuming)).toMatch(/^number 0\n/)
    consuming.stdout?.destroy()
    const { code, signal, err } = await ended(consuming)
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: '' })
  })

  test('Ctrl-C ends a follower', async () => {
    const following = start('consume', 'numbers', '--data', data, '--from', '99999', '--follow')
    expect(await firstOutput(following)).toBe('number 99999\n')
    following.kill('SIGINT')
    const { code, signal, err } = await ended(following)
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: '' })
  })

  test('Ctrl-C while appending keeps what was acknowledged, and says how much that is', async () => {
    const producing = start('produce', 'cut', '--data', data, '--json')
    producing.stdin?.write('one\ntwo\nthr')
    const log = `${data}/cut-0/00000000000000000000.log`
    const writtenBytes = () => statSync(log, { throwIfNoEntry: false })?.size ?? 0
    await expect.poll(writtenBytes, { timeout: 20_000 }).toBeGreaterThan(0)
    producing.kill('SIGINT')
    const { code, out } = await ended(producing)
    expect(code).toBe(3)
    expect(JSON.parse(out)).toMatchObject({ records: 2, firstOffset: 0, lastOffset: 1 })
    const kept = await ended(start('consume', 'cut', '--data', data))
    expect(kept.out).toBe('one\ntwo\n')
    // Closed as it should be: the next one to open it has nothing to recover.
    expect(existsSync(`${data}/.kafka_cleanshutdown`)).toBe(true)
  })

  test('exit codes reach the shell', async () => {
    expect((await ended(start('--help'))).code).toBe(0)
    expect((await ended(start('frobnicate'))).code).toBe(2)
    expect((await ended(start('inspect', `${temporary.path}/nothing`))).code).toBe(3)
  })
})
