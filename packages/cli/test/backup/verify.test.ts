import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'
import { BackupScene, ran } from './backup-scene.ts'

const scene = new BackupScene()

test('damage is a finding with its records, and nothing is proven of an empty repository', async () => {
  await ran('backup', 'init', scene.at('backups'))
  const empty = await run('backup', 'verify', scene.at('backups'))
  expect([empty.code, empty.out]).toEqual([1, expect.stringContaining('there is no backup here')])
  await ran('backup', 'run', scene.at('data'), scene.at('backups'))
  for (const entry of readdirSync(scene.at('backups/objects'), {
    recursive: true,
    withFileTypes: true,
  })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = readFileSync(path)
    // The partition's list stays whole: only data is hurt.
    if (bytes[5] !== 0) continue
    bytes[90] = (bytes[90] ?? 0) ^ 1
    writeFileSync(path, bytes)
  }
  const { code, out } = await run('backup', 'verify', scene.at('backups'))
  expect(code).toBe(1)
  expect(out).toContain('orders-0, offsets 0 to before 100')
  const refused = await run('restore', scene.at('backups'), '--to', scene.at('restored'))
  expect(refused.code).toBe(3)
  expect(existsSync(scene.at('restored'))).toBe(false)
})

test('what was found is told also where it cannot be noted', async () => {
  await ran('backup', 'init', scene.at('backups'))
  await ran('backup', 'run', scene.at('data'), scene.at('backups'))
  const { out } = await ran('backup', 'list', scene.at('backups'), '--json')
  const { backupId } = JSON.parse(out.split('\n')[0] ?? '')
  // A file is where the directory of its notes would be.
  mkdirSync(scene.at('backups/verifications'), { recursive: true })
  writeFileSync(scene.at(`backups/verifications/${backupId}`), '')
  const { code, out: told, err } = await run('backup', 'verify', scene.at('backups'))
  expect(told).toContain('all is sound')
  expect(err).toContain('not noted in the repository')
  expect(code).toBe(0)
})

test('a backup of which somebody removed the manifest is a finding, until that is accepted', async () => {
  await ran('backup', 'init', scene.at('backups'))
  await ran('backup', 'run', scene.at('data'), scene.at('backups'))
  await ran('backup', 'verify', scene.at('backups'))
  await scene.produce(101, 110)
  await ran('backup', 'run', scene.at('data'), scene.at('backups'))
  const [source = ''] = readdirSync(scene.at('backups/manifests'))
  const [first = ''] = readdirSync(scene.at(`backups/manifests/${source}`)).sort()
  rmSync(scene.at(`backups/manifests/${source}/${first}`))
  const missing = await run('backup', 'verify', scene.at('backups'))
  const backupId = first.replace(/^\d+-/, '')
  expect(missing.code).toBe(1)
  expect(missing.out).toContain(`missing: ${backupId}`)
  await ran('backup', 'verify', scene.at('backups'), '--accept-lost', backupId)
})
