import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'
import { BackupScene, ran } from './backup-scene.ts'

const scene = new BackupScene()

test('a repository is made once', async () => {
  const made = await ran('backup', 'init', scene.at('backups'), '--json')
  expect(made.stdout.documents).toMatchObject([{ isEncrypted: false }])
  const again = await run('backup', 'init', scene.at('backups'))
  expect([again.code, again.err]).toEqual([3, expect.stringContaining('already')])
})

test('a recipient that has no public key is a usage error, and nothing is made', async () => {
  writeFileSync(scene.at('text'), 'hello')
  const wrong = await run('backup', 'init', scene.at('b'), '--recipient', scene.at('text'))
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('no public key')])
  expect((await run('backup', 'init', scene.at('b'), '--recipient', scene.at('not'))).code).toBe(2)
  expect((await run('backup', 'list', scene.at('b'))).code).toBe(3)
})
