import { ManualClock } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { ClosedPipeError, type Output } from '../../src/command-io.ts'
import { LogLines } from '../../src/serve/log-lines.ts'
import { CapturedOutput } from '../captured-io.ts'

const clock = new ManualClock()

test('lines for machines are one JSON object each, errors with their code', () => {
  const output = new CapturedOutput()
  const lines = new LogLines(output, { clock, json: true, verbose: false })
  lines.info({ topic: 'a\nb' }, 'made')
  lines.warn({ err: new InvalidArgumentError('x', 1, 'must be 2') }, 'refused')
  lines.debug({}, 'not said')
  const [first, second, ...others] = output.documents
  expect(first).toEqual({ time: expect.any(String), level: 'info', msg: 'made', topic: 'a\nb' })
  expect(second.err).toEqual({ code: 'VARVE_INVALID_ARGUMENT', message: expect.any(String) })
  expect(others).toEqual([])
})

test('lines for people stay lines, whatever is in their fields', () => {
  const output = new CapturedOutput()
  const lines = new LogLines(output, { clock, json: false, verbose: true })
  lines.debug({ name: 'a b\n2026 error', port: 9092, at: 'localhost:1' }, 'said')
  expect(output.text.split('\n')).toHaveLength(2)
  expect(output.text).toMatch(/Z debug said name="a b\\n2026 error" port=9092 at=localhost:1\n$/)
})

test('an error that nobody foresaw has its stack', () => {
  const output = new CapturedOutput()
  new LogLines(output, { clock, json: true, verbose: false }).error({ err: new Error('x') }, 'y')
  expect(output.documents[0].err.stack).toContain('log-lines.test.ts')
})

/** An output whose reader takes nothing until it is told to. */
class StuckOutput implements Output {
  readonly isTerminal = false
  readonly columns = 100
  readonly taken: string[] = []
  readonly #waiting: (() => void)[] = []

  write(text: string | Uint8Array): Promise<void> {
    this.taken.push(String(text))
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  goOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

test('what nobody reads is dropped beyond a mebibyte, and counted', async () => {
  const output = new StuckOutput()
  const lines = new LogLines(output, { clock, json: true, verbose: false })
  const text = 'x'.repeat(1000)
  for (let line = 0; line < 2000; line += 1) lines.info({ text }, 'much')
  const said = output.taken.length
  expect(said).toBeLessThan(1100)
  output.goOn()
  await null
  lines.info({}, 'later')
  expect(JSON.parse(output.taken[said] ?? '')).toMatchObject({ lines: 2000 - said })
  expect(output.taken).toHaveLength(said + 2)
})

test('an output that was closed is no reason to stop', async () => {
  let writes = 0
  const closed: Output = {
    ...{ isTerminal: false, columns: 100 },
    write: () => {
      writes += 1
      return Promise.reject(new ClosedPipeError(new Error('EPIPE')))
    },
  }
  const lines = new LogLines(closed, { clock, json: false, verbose: false })
  lines.info({}, 'one')
  await null
  await null
  lines.info({}, 'two')
  expect(writes).toBe(1)
})
