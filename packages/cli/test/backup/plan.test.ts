import { writeFileSync } from 'node:fs'
import { DirectoryTarget, listBackups } from '@varve/backup'
import { describe, expect, test, vi } from 'vitest'
import { readPlan } from '../../src/backup/plan.ts'
import { main } from '../../src/main.ts'
import { captureIo, run } from '../captured-io.ts'
import { BackupScene, ran } from './backup-scene.ts'

const scene = new BackupScene()

function writePlan(...repositories: readonly object[]): string {
  const path = scene.at('plan.json')
  writeFileSync(path, JSON.stringify({ data: 'data', repositories }))
  return path
}

const backupsIn = async (name: string) => listBackups(new DirectoryTarget(scene.at(name)))

describe('a plan', () => {
  test('fills each repository in its own way', async () => {
    await ran('backup', 'init', scene.at('one'))
    await ran('backup', 'init', scene.at('two'))
    const keep = { last: 1, verified: 0, grace: '1d', execute: true }
    const plan = writePlan(
      { repository: 'one', tags: ['local'] },
      { repository: 'two', kind: 'differential', keep },
    )
    await ran('backup', 'run', '--plan', plan)
    await scene.produce(101, 120)
    const { stdout } = await ran('backup', 'run', '--plan', plan, '--json')
    expect(stdout.documents).toMatchObject([
      { repository: scene.at('one'), kind: 'incremental', sequence: 2 },
      { repository: scene.at('two'), kind: 'differential', sequence: 2 },
      { repository: scene.at('two'), removed: [expect.any(String)] },
    ])
    expect([await backupsIn('one'), await backupsIn('two')].map(({ length }) => length)).toEqual([
      2, 1,
    ])
    const full = await ran('backup', 'run', '--plan', plan, '--full', '--json')
    expect(full.stdout.documents.filter(({ kind }) => kind === 'full')).toHaveLength(2)
    expect((await ran('backup', 'prune', '--plan', plan)).out).toContain('kept: last')
  })

  test('goes on where one repository fails, and its exit code says so', async () => {
    await ran('backup', 'init', scene.at('there'))
    const plan = writePlan(
      { repository: 'missing' },
      { repository: 'there' },
      { repository: 'there/../there/', passphraseFile: 'no-such-file' },
    )
    // The same place by another name is refused: paths are compared as they are resolved.
    expect(await run('backup', 'run', '--plan', plan)).toMatchObject({
      code: 2,
      err: expect.stringContaining('.repositories[2].repository is there twice'),
    })
    const good = writePlan({ repository: 'missing' }, { repository: 'there' })
    const told = await run('backup', 'run', '--plan', good)
    expect(told.code).toBe(3)
    expect(told.err).toContain(`${scene.at('missing')}: no backup: there is no backup repository`)
    expect(told.out).toContain('full, 1 partition')
    const listed = await run('backup', 'run', '--plan', good, '--json')
    expect(listed.stdout.documents).toMatchObject([
      { repository: scene.at('missing'), error: { code: 'VARVE_REPOSITORY_NOT_FOUND' } },
      { repository: scene.at('there'), sequence: 2 },
    ])
  })

  test('takes backups when its schedules say so, each repository by itself', async () => {
    await ran('backup', 'init', scene.at('there'))
    const schedules = [{ cron: '* * * * * *', kind: 'full' }, { cron: '* * * * * *' }]
    const plan = writePlan(
      { repository: 'there', schedules },
      { repository: 'missing', schedules: [{ cron: '* * * * * *' }] },
    )
    const ending = new AbortController()
    const io = captureIo({ signal: ending.signal })
    const running = main(['backup', 'schedule', '--plan', plan, '--json'], io)
    const taken = () => io.stdout.documents.filter(({ backupId }) => backupId !== undefined)
    const isMissed = () =>
      io.stdout.documents.some(({ error }) => error?.code === 'VARVE_REPOSITORY_NOT_FOUND')
    // Both schedules have their turn, and the repository that is missing is missed.
    await vi.waitFor(
      () => {
        const kinds = new Set(taken().map(({ kind }) => kind))
        expect(kinds).toEqual(new Set(['full', 'incremental']))
        expect(isMissed()).toBe(true)
      },
      { timeout: 20_000, interval: 50 },
    )
    ending.abort()
    expect(await running).toBe(3)
    expect(io.stdout.documents.filter(({ nextMs }) => nextMs > 0)).toHaveLength(3)
  })

  test('is refused where it is none, or stands beside what it says', async () => {
    expect(() => readPlan(scene.at('none.json'))).toThrow('is not there')
    const plan = writePlan({ repository: 'there' })
    for (const argv of [
      ['run', './data', './backups', '--plan', plan],
      ['run'],
      ['run', './data'],
      ['schedule', '--plan', plan],
      ['schedule', './data', './backups'],
      ['prune', '--plan', plan],
      ['prune'],
    ]) {
      expect([argv, (await run('backup', ...argv)).code]).toEqual([argv, 2])
    }
  })
})

test('one of several repositories that fails does not keep the others from their backups', async () => {
  await ran('backup', 'init', scene.at('there'))
  const places = [scene.at('missing'), scene.at('there')]
  const { code, err } = await run('backup', 'run', scene.at('data'), ...places)
  expect([code, err]).toEqual([3, expect.stringContaining('missing: no backup')])
  expect(await backupsIn('there')).toHaveLength(1)
})
