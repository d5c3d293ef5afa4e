import { Random } from '@varve/log/testing'
import { beforeEach, expect, test } from 'vitest'
import { pruneBackups } from '../../src/pruning/prune.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { BackupCatalogue, newestOf } from '../../src/repository/backup-catalogue.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { Scene } from '../restoring/scene.ts'
import { appendCounted } from '../restoring/source-topics.ts'

let scene: Scene
let last = ''

/** Three backups; before the last one the clock was put back by a day. */
beforeEach(async () => {
  scene = await Scene.make()
  await using source = await scene.openSource()
  const log = await source.createLog('t', 0)
  for (let count = 0; count < 3; count++) {
    await appendCounted(log, new Random(count), 3)
    const nowMs = scene.clock.now()
    const { clock } = scene
    const late = { ...wrapped(clock), now: () => clock.now() - 86_400_000 }
    const report = await scene.backUp(source, count === 2 ? { clock: late } : {})
    expect(scene.clock.now()).toBeGreaterThan(nowMs)
    last = report.backupId
  }
})

function wrapped(clock: Scene['clock']) {
  return {
    monotonic: () => clock.monotonic(),
    setTimer: (...given: Parameters<typeof clock.setTimer>) => clock.setTimer(...given),
  }
}

test('the latest backup is the one that was taken last', async () => {
  const found = await new BackupCatalogue(scene.repository).find('latest')
  expect(found.name.backupId).toBe(last)
  await scene.restore()
  expect(newestOf([])).toBeNull()
})

test('pruning keeps it as the newest', async () => {
  const { clock, repository } = scene
  const how = { policy: { last: 1, verified: 0 }, isExecuted: true, clock, graceMs: 0 }
  const { removed } = await pruneBackups(repository.target, how)
  expect(removed).toHaveLength(2)
  expect(removed).not.toContain(last)
  const { findings } = await verifyRepository(repository, { decoder: inlineDecoder(), clock })
  expect(findings).toEqual([])
})
