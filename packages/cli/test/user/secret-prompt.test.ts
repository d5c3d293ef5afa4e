import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { InterruptedError } from '../../src/command-io.ts'
import { SecretPrompt } from '../../src/user/secret-prompt.ts'
import { CapturedOutput } from '../captured-io.ts'

function makePrompt() {
  const raw: boolean[] = []
  const terminal = Object.assign(new PassThrough(), {
    setRawMode: (isRaw: boolean) => void raw.push(isRaw),
  })
  const output = new CapturedOutput({ isTerminal: true })
  return { raw, terminal, output, prompt: new SecretPrompt(terminal, output) }
}

const { signal } = new AbortController()

test('what is typed is not shown, and can be edited', async () => {
  const { raw, terminal, output, prompt } = makePrompt()
  const asked = prompt.ask('Password: ', signal)
  for (const typed of ['wrong', '\x15', 'pä', 'x', '\x7f', '\x1b[A', 'ss\r']) terminal.write(typed)
  expect(await asked).toBe('päss')
  expect(output.text).toBe('Password: \n')
  expect(raw).toEqual([true, false])
})

test('lines that were pasted together answer one question each', async () => {
  const { terminal, prompt } = makePrompt()
  const first = prompt.ask('Password: ', signal)
  terminal.write(Buffer.from('öne\nöne\n'))
  expect(await first).toBe('öne')
  expect(await prompt.ask('Again: ', signal)).toBe('öne')
})

test.each(['\x03', '\x04'])(
  'who gives up by %j is let go, and sees again what is typed',
  async (key) => {
    const { raw, terminal, prompt } = makePrompt()
    const asked = prompt.ask('Password: ', signal)
    terminal.write(key)
    await expect(asked).rejects.toBeInstanceOf(InterruptedError)
    expect(raw).toEqual([true, false])
  },
)

test('a signal ends the question', async () => {
  const { prompt } = makePrompt()
  const controller = new AbortController()
  const asked = prompt.ask('Password: ', controller.signal)
  controller.abort()
  await expect(asked).rejects.toBeInstanceOf(InterruptedError)
})
