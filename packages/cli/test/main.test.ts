import { mkdirSync, writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { UsageError } from '../src/command-io.ts'
import { main } from '../src/main.ts'
import { captureIo, run, runWith } from './captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const verbs = ['produce', 'consume', 'inspect', 'dump', 'verify', 'repair', 'reindex']

describe('the command line', () => {
  test('--help names every verb and the exit codes', async () => {
    const { code, out } = await run('--help')
    expect(code).toBe(0)
    for (const verb of verbs) expect(out).toContain(`varve ${verb} `)
    expect(out).toContain('0 fine, 1 findings, 2 usage, 3 failure')
  })

  test.each(verbs)('%s --help shows an example and --json', async (verb) => {
    const { code, out } = await run(verb, '--help')
    expect(code).toBe(0)
    expect(out).toContain('Examples:')
    expect(out).toContain('--json')
    expect(out).toContain(`varve ${verb}`)
  })

  test('--version prints the version of the package', async () => {
    const { code, out } = await run('--version')
    expect(code).toBe(0)
    expect(out).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
  })

  test.each([
    ['no verb', []],
    ['an unknown verb', ['frobnicate']],
    ['an unknown option', ['inspect', 'x', '--frobnicate']],
    ['a missing argument', ['inspect']],
    ['a missing option', ['produce', 'orders']],
    ['an option without its value', ['dump', 'x', '--from']],
    ['a choice that there is not', ['produce', 'orders', '--data', 'x', '--acks', 'maybe']],
    ['one argument too many', ['inspect', 'x', 'y']],
  ])('%s is an error of usage, said on stderr', async (_what, argv) => {
    const { code, out, err } = await run(...argv)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(/^varve: .+\n {2}See 'varve( \w+)? --help'\.\n$/s)
  })

  test.each([
    ['--max', ['dump', temporary.path, '--max', '0']],
    ['--max', ['dump', temporary.path, '--max', 'many']],
    ['--from', ['dump', temporary.path, '--from', '-5']],
    ['--partition', ['produce', 'orders', '--data', temporary.path, '--partition', '1.5']],
    ['--from', ['consume', 'orders', '--data', temporary.path, '--from', 'yesterday']],
    ['topic', ['consume', 'no/topic', '--data', temporary.path]],
  ])('a value of %s that means nothing is an error of usage', async (name, argv) => {
    const { code, err } = await run(...argv)
    expect(code).toBe(2)
    expect(err).toContain(name)
  })

  test('a failure is told with what to do about it, where that is known', async () => {
    const data = `${temporary.path}/failing`
    await runWith({ input: ['a\n'] }, 'produce', 'orders', '--data', data)
    const { code, err } = await run('consume', 'orders', '--data', data, '--from', '17')
    expect(code).toBe(3)
    expect(err).toMatch(/^varve: offset 17 is outside log orders-0.*\n {2}\S.*\n$/)
  })

  test('with --json a failure is told as JSON', async () => {
    const { code, out, err } = await run('inspect', `${temporary.path}/nothing`, '--json')
    expect(code).toBe(3)
    expect(out).toBe('')
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'VARVE_LOG_NOT_FOUND',
        message: `there is no ${temporary.path}/nothing`,
      },
    })
  })

  test('with --json an error of usage is told as JSON', async () => {
    const { code, err } = await run('inspect', 'x', '--json', '--frobnicate')
    expect(code).toBe(2)
    expect(JSON.parse(err)).toMatchObject({
      error: { code: 'VARVE_USAGE', message: expect.stringContaining('frobnicate') },
    })
  })

  test('what the operating system refuses is told without a stack', async () => {
    mkdirSync(`${temporary.path}/file-parent`)
    writeFileSync(`${temporary.path}/file-parent/file`, '')
    const below = `${temporary.path}/file-parent/file/below`
    const { code, err } = await runWith({}, 'produce', 'orders', '--data', below)
    expect(code).toBe(3)
    expect(err.split('\n').length).toBeLessThan(4)
  })

  test('an error that nobody foresaw is told with its stack, and fails', async () => {
    const io = captureIo()
    const broken = new Proxy(io, {
      get: (target, name) => {
        if (name === 'clock') throw new RangeError('not foreseen')
        return Reflect.get(target, name)
      },
    })
    const data = `${temporary.path}/unforeseen`
    expect(await main(['produce', 'orders', '--data', data], broken)).toBe(3)
    expect(io.stderr.text).toContain('RangeError: not foreseen')
    expect(io.stderr.text).toContain('produce.ts')
  })

  test('output that nobody reads any more ends a command quietly', async () => {
    const data = `${temporary.path}/piped`
    const input = Array.from({ length: 50_000 }, (_, number) => `line ${number}\n`)
    await runWith({ input: [input.join('')] }, 'produce', 'orders', '--data', data)
    for (const argv of [
      ['consume', 'orders', '--data', data],
      ['dump', `${data}/orders-0`, '--records'],
      ['dump', `${data}/orders-0`, '--records', '--json'],
    ]) {
      const { code, out, err } = await runWith({ closesAfterBytes: 1000 }, ...argv)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out.length).toBeGreaterThan(0)
      expect(out.length).toBeLessThan(400_000)
    }
  })
})

test('where closing fails after something else did, that is told, not the closing', async () => {
  const first = new UsageError('the disk is full', 'make room')
  const suppressing = Object.assign(new Error('during disposal'), {
    name: 'SuppressedError',
    error: new Error('closing failed too'),
    suppressed: first,
  })
  const io = captureIo()
  const stdout = { isTerminal: false, columns: 80, write: () => Promise.reject(suppressing) }
  expect(await main(['--version'], { ...io, stdout })).toBe(2)
  expect(io.stderr.text).toBe('varve: the disk is full\n  make room\n')
})
