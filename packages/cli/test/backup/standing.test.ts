import { DirectoryTarget, listBackups } from '@varve/backup'
import { expect, test, vi } from 'vitest'
import { runWith } from '../captured-io.ts'
import { BackupScene, ran } from './backup-scene.ts'

const scene = new BackupScene()

test('a schedule runs backups until it is told to end', async () => {
  await ran('backup', 'init', scene.at('backups'))
  const ending = new AbortController()
  setTimeout(() => ending.abort(), 2500)
  const { code, stdout } = await runWith(
    { signal: ending.signal },
    ...[
      'backup',
      'schedule',
      scene.at('data'),
      scene.at('backups'),
      '--cron',
      '* * * * * *',
      '--json',
    ],
  )
  expect(code).toBe(0)
  const taken = stdout.documents.filter(({ backupId }) => backupId !== undefined)
  expect(taken.length).toBeGreaterThan(0)
})

test('following backs up what comes, until it is told to end', async () => {
  await ran('backup', 'init', scene.at('backups'))
  const ending = new AbortController()
  const options = { signal: ending.signal }
  const places = [scene.at('data'), scene.at('backups')]
  const following = runWith(options, 'backup', 'follow', ...places, '--json')
  const target = new DirectoryTarget(scene.at('backups'))
  await vi.waitFor(async () => expect(await listBackups(target)).toHaveLength(1), 10_000)
  await scene.produce(101, 110)
  await vi.waitFor(async () => {
    expect((await listBackups(target)).length).toBeGreaterThan(1)
  }, 10_000)
  ending.abort()
  const { code, stdout } = await following
  expect(code).toBe(0)
  expect(stdout.documents.at(-1)).toMatchObject({ gaps: [] })
})
