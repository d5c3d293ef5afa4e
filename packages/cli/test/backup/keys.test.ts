import { execFileSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { beforeEach, expect, test } from 'vitest'
import { run } from '../captured-io.ts'
import { BackupScene, numbers, ran } from './backup-scene.ts'

const scene = new BackupScene()
const keys = (action: string, ...rest: readonly string[]): readonly string[] => {
  return ['backup', 'keys', action, scene.at('backups'), ...rest]
}
const byKey = (): readonly string[] => ['--key', scene.at('private')]
const byPassphrase = (): readonly string[] => ['--passphrase-file', scene.at('pass')]

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' })
}

beforeEach(async () => {
  writeFileSync(scene.at('pass'), 'a secret phrase\n')
  const bits = ['-pkeyopt', 'rsa_keygen_bits:2048']
  openssl('genpkey', '-algorithm', 'RSA', ...bits, '-out', scene.at('private'))
  openssl('pkey', '-in', scene.at('private'), '-pubout', '-out', scene.at('public'))
  await ran('backup', 'init', scene.at('backups'), '--recipient', scene.at('public'))
})

test('who has a key that writes cannot read, and who has none can do nothing', async () => {
  await ran(...keys('export-writer', ...byKey(), '--out', scene.at('writer')))
  expect(statSync(scene.at('writer')).mode & 0o777).toBe(0o600)
  const writing = ['--key', scene.at('writer')]
  await ran('backup', 'run', scene.at('data'), scene.at('backups'), ...writing)
  const writer = await run('backup', 'list', scene.at('backups'), ...writing)
  expect([writer.code, writer.err]).toEqual([3, expect.stringContaining('not read them')])
  expect((await run('backup', 'list', scene.at('backups'))).code).toBe(3)
  await ran('restore', scene.at('backups'), '--to', scene.at('restored'), ...byKey())
  expect(await scene.values('restored')).toEqual(numbers(100))
})

test('keys come and go, and what was stored stays readable to those that stay', async () => {
  await ran('backup', 'run', scene.at('data'), scene.at('backups'), ...byKey())
  await ran(...keys('add', ...byKey(), '--new-passphrase-file', scene.at('pass')))
  await ran('backup', 'verify', scene.at('backups'), ...byPassphrase())
  const listed = await ran(...keys('list', ...byKey(), '--json'))
  const first = listed.stdout.documents.find(({ kind }) => kind === 'public key')
  await ran(...keys('export-reader', ...byPassphrase(), '--out', scene.at('reader')))
  await ran(...keys('remove', first.id, ...byPassphrase()))
  expect((await run('backup', 'list', scene.at('backups'), ...byKey())).code).toBe(3)
  const reading = ['--key', scene.at('reader')]
  await ran('restore', scene.at('backups'), '--to', scene.at('restored'), ...reading)
  expect(await scene.values('restored')).toEqual(numbers(100))
  const again = await run(...keys('export-reader', ...byPassphrase(), '--out', scene.at('reader')))
  expect([again.code, again.err]).toEqual([2, expect.stringContaining('is there already')])
})
