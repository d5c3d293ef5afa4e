import { realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { checkOutputs, machineDirectory, printResult } from '../../src/bench/bench-output.ts'
import { payloadFor } from '../../src/bench/bench-payload.ts'
import { captureIo } from '../captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

describe('where a run is', () => {
  test('is made where it is not there, and named without links', () => {
    const path = `${temporary.path}/deep/disk`
    expect(machineDirectory(path)).toBe(realpathSync(path))
    symlinkSync(path, `${temporary.path}/link`)
    expect(machineDirectory(`${temporary.path}/link`)).toBe(realpathSync(path))
    expect(statSync(path).isDirectory()).toBe(true)
  })

  test('of a cluster it is the machine that the load comes from', () => {
    expect(machineDirectory('kafka://host:9092')).toBe(realpathSync('.'))
  })
})

test('notes come first, and are in the document too', async () => {
  const result = { kind: 'produce', startedMs: 0, conditions: {}, notes: ['ended early'] } as const
  const options = { data: temporary.path, seed: 1, report: null }
  const io = captureIo()
  await printResult(result, { ...options, json: false }, ['a line'], io)
  const [note, machine, line] = io.stdout.text.split('\n')
  expect([note, line]).toEqual(['ended early', 'a line'])
  expect(machine).toContain(`Node ${process.version}`)
  const machines = captureIo()
  await printResult(result, { ...options, json: true }, ['a line'], machines)
  expect(machines.stdout.documents).toMatchObject([
    { schema: 'varve-bench/1', startedAt: '1970-01-01T00:00:00.000Z', notes: ['ended early'] },
  ])
})

test('figures are printed, whatever becomes of the page', async () => {
  const result = { kind: 'produce', startedMs: 0, conditions: {} } as const
  const report = `${temporary.path}/gone/report.html`
  const options = { data: temporary.path, seed: 1, report, json: false }
  const io = captureIo()
  await expect(printResult(result, options, ['a line'], io)).rejects.toThrow('ENOENT')
  expect(io.stdout.text).toContain('a line\n')
})

describe('files that are to be written', () => {
  const path = `${temporary.path}/page.html`

  test('may be there, or not yet', () => {
    checkOutputs({ report: path, hlog: null })
    writeFileSync(path, 'an older one')
    checkOutputs({ report: path, hlog: `${temporary.path}/latency.hlog` })
  })

  test.each([
    [{ report: temporary.path }, /--report .* must be a file/],
    [{ report: '' }, /--report/],
    [{ hlog: `${temporary.path}/absent/latency.hlog` }, /--hlog .* directory that is there/],
    [
      { report: path, hgrm: `${temporary.path}/./page.html` },
      /--hgrm .* another file than --report/,
    ],
  ])('%j is refused before the run', (paths, message) => {
    expect(() => checkOutputs(paths)).toThrow(message)
  })
})

describe('payloads', () => {
  const given = { recordSize: '1KiB', payload: 'text', payloadDelimiter: '\\n' } as const

  test('are generated in the size that was asked for', () => {
    expect(payloadFor({ ...given, payloadFile: null }, 1).values[0]).toHaveLength(1024)
  })

  test('of a file are divided by a delimiter in which \\t is a tab, and \\\\ a backslash', () => {
    const payloadFile = `${temporary.path}/payloads`
    writeFileSync(payloadFile, 'a\\\tb\nc')
    const { values } = payloadFor({ ...given, payloadFile, payloadDelimiter: '\\\\\\t' }, 1)
    expect(values.map(String)).toEqual(['a', 'b\nc'])
  })
})
