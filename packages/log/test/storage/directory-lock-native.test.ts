import { readdirSync } from 'node:fs'
import { NativeModuleError } from '@varve/record'
import { expect, test, vi } from 'vitest'
import { lockFile } from '../../src/storage/directory-lock.ts'
import { nodeFileSystem } from '../../src/storage/node-file-system.ts'
import { makeTemporaryDirectory } from '../../src/testing/index.ts'

vi.mock('node:module', () => ({
  createRequire: () => (name: string) => {
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' })
  },
}))

test('without the native package locking says what is missing and the rest works', async () => {
  using directory = makeTemporaryDirectory()
  const error = await lockFile(`${directory.path}/.lock`).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(NativeModuleError)
  expect(error).toMatchObject({
    packageName: 'fs-ext',
    hint: expect.stringContaining('npm install fs-ext'),
    cause: { code: 'MODULE_NOT_FOUND' },
  })
  expect(readdirSync(directory.path)).toEqual([])
  const file = nodeFileSystem.open(`${directory.path}/a`, 'create')
  await file.datasync()
  file.close()
})
