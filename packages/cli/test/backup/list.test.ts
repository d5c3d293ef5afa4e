import { expect, test } from 'vitest'
import { BackupScene, numbers, ran } from './backup-scene.ts'

const scene = new BackupScene()

test('takes backups, lists, shows and verifies them, and restores each', async () => {
  await ran('backup', 'init', scene.at('backups'))
  await ran('backup', 'run', scene.at('data'), scene.at('backups'), '--full')
  await scene.produce(101, 150)
  const second = await ran(
    ...[
      'backup',
      'run',
      scene.at('data'),
      scene.at('backups'),
      '--point',
      'noon',
      '--tag',
      'a',
      '--json',
    ],
  )
  const [report] = second.stdout.documents
  expect(report).toMatchObject({ kind: 'incremental', partitions: 1, gaps: [], sequence: 2 })
  const listed = await ran('backup', 'list', scene.at('backups'), '--json')
  expect(listed.stdout.documents).toMatchObject([
    { kind: 'full', verification: null, source: scene.at('data') },
    { backupId: report.backupId, point: 'noon', tags: ['a'], base: report.base },
  ])
  const shown = await ran('backup', 'show', scene.at('backups'), 'noon')
  expect(shown.out).toMatch(/orders-0 +0 +150 /)
  const verified = await ran('backup', 'verify', scene.at('backups'))
  expect(verified.out).toMatch(/^2 backups: \d objects .*\nall is sound\n$/)
  expect((await ran('backup', 'list', scene.at('backups'))).out).toContain('sound')

  const { backupId } = listed.stdout.documents[0]
  await ran('restore', scene.at('backups'), '--to', scene.at('first'), '--backup', backupId)
  await ran('restore', scene.at('backups'), '--to', scene.at('second'))
  expect(await scene.values('first')).toEqual(numbers(100))
  expect(await scene.values('second')).toEqual(numbers(150))
})
