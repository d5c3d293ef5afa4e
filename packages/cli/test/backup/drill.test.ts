import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BackupScene, ran } from './backup-scene.ts'

const scene = new BackupScene()

test('a drill says how long recovery takes, and leaves nothing behind', async () => {
  await ran('backup', 'init', scene.at('backups'))
  const run = ['backup', 'run', scene.at('data'), scene.at('backups'), '--json']
  const [{ backupId }] = (await ran(...run)).stdout.documents
  const scratch = ['--scratch', scene.at('scratch')]
  const { stdout } = await ran('backup', 'drill', scene.at('backups'), ...scratch, '--json')
  expect(stdout.documents).toMatchObject([{ backupId, partitions: 1, findings: [] }])
  expect(existsSync(scene.at('scratch'))).toBe(false)
  const told = await ran('backup', 'drill', scene.at('backups'), ...scratch)
  expect(told.out).toContain('it is as it must be')
})
