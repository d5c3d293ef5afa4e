import { expect, test } from 'vitest'
import { runJobs } from '../../src/backup/jobs.ts'
import { lastBackupMs } from '../../src/backup/last-backup.ts'
import { captureIo } from '../captured-io.ts'
import { BackupScene, ran } from './backup-scene.ts'

const scene = new BackupScene()

const jobFor = (name: string) => ({
  ...{ repository: scene.at(name), data: scene.at('data'), source: 'shop', tags: [] },
  ...({ kind: 'incremental', independent: false, readLimit: 0, uploadLimit: 0 } as const),
})

test('of several jobs those that can be done are done; one alone says what is wrong', async () => {
  await ran('backup', 'init', scene.at('there'))
  const options = { json: true, metrics: null }
  const io = captureIo()
  expect(await runJobs([jobFor('none'), jobFor('there')], options, io)).toBe(3)
  expect(io.stdout.documents).toMatchObject([
    { repository: scene.at('none'), error: { code: 'VARVE_REPOSITORY_NOT_FOUND' } },
    { repository: scene.at('there'), kind: 'full' },
  ])
  await expect(runJobs([jobFor('none')], options, captureIo())).rejects.toMatchObject({
    code: 'VARVE_REPOSITORY_NOT_FOUND',
  })
  // Nobody is told of failures when it is the user who ends it.
  const ended = captureIo({ signal: AbortSignal.abort(new Error('enough')) })
  await expect(runJobs([jobFor('there'), jobFor('none')], options, ended)).rejects.toThrow('enough')
})

test('when a backup was taken last depends on which would do', async () => {
  const repository = scene.at('there')
  await ran('backup', 'init', repository)
  const last = (kind: 'incremental' | 'differential' | 'full') =>
    lastBackupMs({ repository }, 'shop', kind)
  expect(await last('incremental')).toBe(null)
  const options = { json: true, metrics: null }
  const taken = async (kind: 'full' | 'incremental' | 'differential') => {
    const io = captureIo()
    await runJobs([{ ...jobFor('there'), kind }], options, io)
    return io.stdout.documents[0].takenMs as number
  }
  const full = await taken('full')
  const differential = await taken('differential')
  const incremental = await taken('incremental')
  expect(await last('full')).toBe(full)
  expect(await last('differential')).toBe(differential)
  expect(Math.abs(((await last('incremental')) ?? 0) - incremental)).toBeLessThan(1000)
})
