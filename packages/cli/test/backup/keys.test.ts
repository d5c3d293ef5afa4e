import { execFileSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'
import { BackupScene, numbers, ran } from './backup-scene.ts'

const scene = new BackupScene()

test('an encrypted repository opens to its keys only, and keys come and go', async () => {
  writeFileSync(scene.at('pass'), 'a secret phrase\n')
  execFileSync(
    'openssl',
    [
      ...[
        'genpkey',
        '-algorithm',
        'RSA',
        '-pkeyopt',
        'rsa_keygen_bits:2048',
        '-out',
        scene.at('private'),
      ],
    ],
    { stdio: 'ignore' },
  )
  execFileSync('openssl', [
    'pkey',
    '-in',
    scene.at('private'),
    '-pubout',
    '-out',
    scene.at('public'),
  ])
  await ran('backup', 'init', scene.at('backups'), '--recipient', scene.at('public'))
  const reading = ['--key', scene.at('private')]
  await ran(
    'backup',
    'keys',
    'export-writer',
    scene.at('backups'),
    ...reading,
    '--out',
    scene.at('writer'),
  )
  expect(statSync(scene.at('writer')).mode & 0o777).toBe(0o600)
  await ran('backup', 'run', scene.at('data'), scene.at('backups'), '--key', scene.at('writer'))
  const writer = await run('backup', 'list', scene.at('backups'), '--key', scene.at('writer'))
  expect([writer.code, writer.err]).toEqual([3, expect.stringContaining('not read them')])
  expect((await run('backup', 'list', scene.at('backups'))).code).toBe(3)

  await ran(
    'backup',
    'keys',
    'add',
    scene.at('backups'),
    ...reading,
    '--new-passphrase-file',
    scene.at('pass'),
  )
  await ran('backup', 'verify', scene.at('backups'), '--passphrase-file', scene.at('pass'))
  const keys = await ran('backup', 'keys', 'list', scene.at('backups'), ...reading, '--json')
  const byKey = keys.stdout.documents.find(({ kind }) => kind === 'public key')
  const passing = ['--passphrase-file', scene.at('pass')]
  await ran(
    'backup',
    'keys',
    'export-reader',
    scene.at('backups'),
    ...passing,
    '--out',
    scene.at('reader'),
  )
  await ran('backup', 'keys', 'remove', scene.at('backups'), byKey.id, ...passing)
  expect((await run('backup', 'list', scene.at('backups'), ...reading)).code).toBe(3)
  await ran(
    'restore',
    scene.at('backups'),
    '--to',
    scene.at('restored'),
    '--key',
    scene.at('reader'),
  )
  expect(await scene.values('restored')).toEqual(numbers(100))
  const again = await run(
    ...[
      'backup',
      'keys',
      'export-reader',
      scene.at('backups'),
      ...passing,
      '--out',
      scene.at('reader'),
    ],
  )
  expect([again.code, again.err]).toEqual([2, expect.stringContaining('is there already')])
})
