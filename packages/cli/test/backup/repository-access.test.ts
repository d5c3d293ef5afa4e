import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Repository } from '@varve/backup'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import {
  openRepository,
  openTargetOf,
  readPassphrase,
  targetNameOf,
  unlockingOf,
} from '../../src/backup/repository-access.ts'

test('a passphrase is the first line of its file', () => {
  using temporary = makeTemporaryDirectory()
  const path = `${temporary.path}/pass`
  writeFileSync(path, 'two words\r\nand more\n')
  expect(readPassphrase(path)).toBe('two words')
  expect(unlockingOf({ repository: 'r', passphraseFile: path })).toEqual({
    passphrase: 'two words',
  })
  writeFileSync(path, '\nlater')
  expect(() => readPassphrase(path)).toThrow(InvalidArgumentError)
  expect(() => readPassphrase(`${path}.not`)).toThrow('is not there')
})

test('one key is given, or none', () => {
  expect(unlockingOf({ repository: 'r' })).toBeNull()
  const both = { repository: 'r', passphraseFile: 'p', key: 'k' }
  expect(() => unlockingOf(both)).toThrow(InvalidArgumentError)
})

test('a repository has one name, wherever the command is called from', async () => {
  const { name } = await openTargetOf({ repository: 'backups' })
  expect(name).toBe(join(process.cwd(), 'backups'))
  expect(targetNameOf('backups')).toBe(name)
  expect(targetNameOf('s3://bucket/prefix?endpoint=http://localhost')).toBe('s3://bucket/prefix')
  await expect(openTargetOf({ repository: '' })).rejects.toThrow(InvalidArgumentError)
})

test('a repository is opened by its address', async () => {
  using temporary = makeTemporaryDirectory()
  const repository = `${temporary.path}/repository`
  await expect(openRepository({ repository })).rejects.toThrow('no backup repository')
  await Repository.create(await openTargetOf({ repository }))
  await using opened = await openRepository({ repository })
  expect(opened.target.name).toBe(repository)
})
