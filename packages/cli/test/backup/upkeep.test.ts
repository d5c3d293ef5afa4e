import {
  AuditLog,
  DirectorySource,
  DirectoryTarget,
  inlineEncoder,
  listBackups,
  noteVerification,
  Repository,
  runBackup,
} from '@varve/backup'
import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory, type TemporaryDirectory } from '@varve/log/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { durationMs } from '../../src/backup/duration-argument.ts'
import { run } from '../captured-io.ts'

const made: TemporaryDirectory[] = []

afterEach(() => {
  for (const temporary of made.splice(0)) temporary[Symbol.dispose]()
})

interface Scene {
  readonly data: string
  readonly repository: string
  readonly scratch: string
  /** Ids, oldest first. */
  readonly backups: readonly string[]
}

/** A data directory of which three backups were taken, each with one record more. */
async function scene(): Promise<Scene> {
  const temporary = makeTemporaryDirectory()
  made.push(temporary)
  const [data, path] = [`${temporary.path}/data`, `${temporary.path}/repository`]
  const repository = await Repository.create(new DirectoryTarget(path))
  const backups: string[] = []
  for (let count = 0; count < 3; count++) {
    const directory = await LogDirectory.open(data)
    const log = count === 0 ? await directory.createLog('t', 0) : directory.log('t', 0)
    await log.append({ value: `value ${count}` })
    await directory.close()
    const options = { encoder: inlineEncoder(nodeFileSystem), source: 'data' }
    const { backupId } = await runBackup(repository, new DirectorySource(data), options)
    backups.push(backupId)
  }
  return { data, repository: path, scratch: `${temporary.path}/scratch`, backups }
}

describe('varve backup prune', () => {
  test('shows what would go, and removes it when it is told to', async () => {
    const { repository, backups } = await scene()
    const policy = ['--keep-last', '1', '--keep-verified', '0']
    const planned = await run('backup', 'prune', repository, ...policy)
    expect(planned.code).toBe(0)
    expect(planned.stdout.text.split('\n')).toEqual([
      `${backups[0]}  would be removed`,
      `${backups[1]}  would be removed`,
      `${backups[2]}  kept: last`,
      '2 backups would be removed; --execute does it',
      '',
    ])
    expect(await listBackups(new DirectoryTarget(repository))).toHaveLength(3)
    const done = await run('backup', 'prune', repository, ...policy, '--execute', '--json')
    expect(done.stdout.documents).toMatchObject([
      { executed: true, removed: backups.slice(0, 2), swept: { removedObjects: 0 } },
    ])
    const left = await listBackups(new DirectoryTarget(repository))
    expect(left.map(({ backupId }) => backupId)).toEqual(backups.slice(2))
  })

  test('objects that nobody needs go when their grace is over', async () => {
    const { repository } = await scene()
    const policy = ['--keep-last', '1', '--keep-verified', '0', '--grace', '0s', '--execute']
    await run('backup', 'prune', repository, ...policy)
    const again = await run('backup', 'prune', repository, ...policy)
    expect(again.stdout.text).toMatch(/^\d objects? \(.*\) removed, 0 objects to go/m)
  })

  test('the newest verified backup stays, and held ones do', async () => {
    const { repository, backups } = await scene()
    const [first = '', second = ''] = backups
    const target = new DirectoryTarget(repository)
    await noteVerification(target, null, { backupId: second, atMs: 1, isSound: true })
    const held = await run('backup', 'hold', repository, first)
    expect(held.stdout.text).toBe(`${first} is held\n`)
    const planned = await run('backup', 'prune', repository, '--keep-last', '1', '--json')
    const [{ backups: found, removed }] = planned.stdout.documents
    expect(found.map(({ reasons }: { reasons: string[] }) => reasons)).toEqual([
      ['held'],
      ['verified'],
      ['last'],
    ])
    expect(removed).toEqual([])
    await run('backup', 'release', repository, first)
    const released = await run('backup', 'prune', repository, '--keep-last', '1', '--json')
    expect(released.stdout.documents).toMatchObject([{ removed: [first] }])
  })

  test('a policy that keeps nothing, and a duration that is none, are usage errors', async () => {
    const { repository } = await scene()
    expect((await run('backup', 'prune', repository, '--execute')).code).toBe(2)
    const wrong = await run('backup', 'prune', repository, '--keep-within', 'soon')
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('must be like 90s')
  })
})

test('holding names one backup', async () => {
  const { repository } = await scene()
  const several = await run('backup', 'hold', repository, '2')
  expect([several.code, several.err]).toEqual([2, expect.stringContaining('more than one')])
  expect((await run('backup', 'hold', repository, 'nothing')).code).toBe(2)
})

test('a mirror is made, and brought up to date', async () => {
  const { repository, scratch } = await scene()
  const first = await run('backup', 'mirror', repository, scratch)
  expect(first.stdout.text).toMatch(/^3 backups copied \(\d+ objects, /)
  const again = await run('backup', 'mirror', repository, scratch, '--json')
  expect(again.stdout.documents).toMatchObject([{ copiedBackups: 0, copiedObjects: 0 }])
})

test('the audit is printed, and an edited one fails', async () => {
  const { repository, backups } = await scene()
  const policy = ['--keep-last', '1', '--keep-verified', '0', '--execute']
  await run('backup', 'prune', repository, ...policy)
  const { stdout } = await run('backup', 'audit', repository, '--json')
  expect(stdout.documents).toMatchObject(
    backups.slice(0, 2).map((details) => ({ action: 'prune', details })),
  )
  const target = new DirectoryTarget(repository)
  await target.remove('audit/0000000001.json')
  await expect(new AuditLog(target, null).read()).rejects.toThrow()
  expect((await run('backup', 'audit', repository)).code).toBe(3)
})

test('time spans are read as people write them', () => {
  expect(durationMs('grace', '90s')).toBe(90_000)
  expect(durationMs('grace', '30m')).toBe(1_800_000)
  expect(durationMs('grace', '12h')).toBe(43_200_000)
  expect(durationMs('grace', '30d')).toBe(2_592_000_000)
  expect(durationMs('grace', '8w')).toBe(4_838_400_000)
  for (const wrong of ['', '1', 'd', '-1d', '1.5h', '1y']) {
    expect(() => durationMs('grace', wrong)).toThrow('must be like')
  }
})
