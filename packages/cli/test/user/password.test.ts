import { writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { UsageError } from '../../src/command-io.ts'
import { newPassword } from '../../src/user/password.ts'
import { captureIo } from '../captured-io.ts'

test('a password is the first line of the input, however it comes in pieces', async () => {
  const input = ['sec', 'ret\r', '\nand more\n']
  expect(await newPassword('alice', null, captureIo({ input }))).toBe('secret')
  expect(await newPassword('alice', null, captureIo({ input: ['ohne Ende'] }))).toBe('ohne Ende')
})

test.each([[[]], [['\nsecret\n']], [['x'.repeat(70_000)]]])(
  'an input without one is refused',
  async (input) => {
    const asked = newPassword('alice', null, captureIo({ input }))
    await expect(asked).rejects.toThrow(UsageError)
  },
)

test('a file with a password is read to the end of its first line', async () => {
  using temporary = makeTemporaryDirectory()
  const path = `${temporary.path}/secret`
  writeFileSync(path, 'secret\n')
  expect(await newPassword('alice', path, captureIo({ inputIsTerminal: true }))).toBe('secret')
  await expect(newPassword('alice', `${path}-none`, captureIo())).rejects.toThrow(/not there/)
})
