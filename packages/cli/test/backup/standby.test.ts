import { existsSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { followBackups } from '../../src/backup/standby.ts'
import { captureIo, run, runWith } from '../captured-io.ts'
import { BackupScene, numbers, ran } from './backup-scene.ts'

const scene = new BackupScene()

const backUp = () => ran('backup', 'run', scene.at('data'), scene.at('backups'))

test('a standby is what each newer backup is, until it is told to end', async () => {
  await ran('backup', 'init', scene.at('backups'))
  const ending = new AbortController()
  const io = captureIo({ signal: ending.signal })
  const following = followBackups(
    {
      ...{ repository: scene.at('backups'), to: scene.at('standby'), intervalMs: 100, topics: [] },
      ...{ allowDamage: false, readLimit: 0, json: true },
    },
    io,
  )
  const rounds = () => io.stdout.documents.filter(({ backupId }) => backupId !== undefined)
  await vi.waitFor(() => expect(io.stdout.documents).toHaveLength(1), 10_000)
  // Said once, however often it is looked.
  expect(io.stdout.documents).toMatchObject([{ error: { code: 'VARVE_BACKUP_NOT_FOUND' } }])
  await backUp()
  await vi.waitFor(() => expect(rounds()).toHaveLength(1), 10_000)
  expect(await scene.values('standby')).toEqual(numbers(100))
  await scene.produce(101, 130)
  await backUp()
  await vi.waitFor(() => expect(rounds()).toHaveLength(2), 10_000)
  ending.abort()
  expect(await following).toBe(0)
  expect(await scene.values('standby')).toEqual(numbers(130))
  expect(existsSync(scene.at('standby.before-restore'))).toBe(false)
}, 30_000)

test('what was taken over is not followed into any more, nor is what never was a standby', async () => {
  await ran('backup', 'init', scene.at('backups'))
  await backUp()
  const follow = async (to: string, until: string) => {
    const ending = new AbortController()
    setTimeout(() => ending.abort(), 1500)
    const argv = ['restore', scene.at('backups'), '--to', scene.at(to), '--follow']
    const result = await runWith({ signal: ending.signal }, ...argv)
    expect(result.out).toContain(until)
    return result.code
  }
  expect(await follow('standby', 'is as')).toBe(0)
  await ran('retention', 'release', '--data', scene.at('standby'))
  expect(await follow('standby', 'is no standby')).toBe(1)
  expect(await follow('data', 'is no standby')).toBe(1)
  expect(await scene.values('data')).toEqual(numbers(100))
}, 30_000)

test('following goes with no wish that says another state', async () => {
  const follow = ['restore', './backups', '--to', './standby', '--follow']
  for (const wish of [['--in-place'], ['--at', '0'], ['--backup', 'x'], ['--undo'], ['--stable']]) {
    expect([wish, (await run(...follow, ...wish)).code]).toEqual([wish, 2])
  }
  expect((await run('restore', './backups', '--to', './x', '--source', 'y')).code).toBe(2)
})
