import { expect, test } from 'vitest'
import { BackupScene, ran } from './backup-scene.ts'

const scene = new BackupScene()

test('several repositories get the same backup', async () => {
  await ran('backup', 'init', scene.at('one'))
  await ran('backup', 'init', scene.at('two'))
  const { stdout } = await ran(
    'backup',
    'run',
    scene.at('data'),
    scene.at('one'),
    scene.at('two'),
    '--json',
  )
  expect(stdout.documents).toMatchObject([
    { repository: scene.at('one') },
    { repository: scene.at('two') },
  ])
})
