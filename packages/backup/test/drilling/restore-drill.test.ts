import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test, vi } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { drillRestore } from '../../src/drilling/restore-drill.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { drilledBackups, drillsPrefix } from '../../src/repository/drill-records.ts'
import { Repository } from '../../src/repository/repository.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'

test('a drill restores, checks, records what it took, and leaves nothing behind', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  for (let index = 0; index < 10; index++) {
    await log.append({ key: 'o', value: `value ${index}` })
    if (index % 4 === 3) await log.roll()
  }
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  await runBackup(repository, new LiveSource(directory), { encoder: inlineEncoder(nodeFileSystem) })
  const backup = await new BackupCatalogue(repository).find('latest')
  const scratch = `${temporary.path}/scratch`
  const report = await drillRestore(repository, backup, { scratch })
  expect(report).toMatchObject({ backupId: backup.manifest.backupId, partitions: 1, findings: [] })
  expect(report.bytes).toBe(log.sizeBytes)
  expect(existsSync(scratch)).toBe(false)
  const records = []
  for await (const { key } of target.list(drillsPrefix)) records.push(await target.get(key))
  expect(records).toHaveLength(1)
  const { findings, bytes } = JSON.parse(String(records[0]))
  expect([findings, bytes]).toEqual([0, report.bytes])
  await target.put(`${drillsPrefix}damaged.json`, Buffer.from('{'))
  expect([...(await drilledBackups(target))]).toEqual([report.backupId])
})

test('a backup that cannot be restored fails its drill, and leaves nothing behind', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  await (await directory.createLog('orders', 0)).append({ value: 'one' })
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  await runBackup(repository, new LiveSource(directory), { encoder: inlineEncoder(nodeFileSystem) })
  const backup = await new BackupCatalogue(repository).find('latest')
  const list = await new BackupCatalogue(repository).partitionList(
    backup.manifest,
    backup.manifest.partitions[0] as (typeof backup.manifest.partitions)[number],
  )
  const id = list.segments[0]?.extents[0]?.id.toString('hex') ?? ''
  await target.remove(`objects/main/${id.slice(0, 2)}/${id}`)
  const scratch = `${temporary.path}/scratch`
  await expect(drillRestore(repository, backup, { scratch })).rejects.toThrow(
    'not in the repository',
  )
  const left = readdirSync(temporary.path).filter((name) => !name.startsWith('.'))
  expect(left.sort()).toEqual(['data', 'repository'])
})

test('a drill takes no directory that is there: it would be removed', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  await (await directory.createLog('orders', 0)).append({ value: 'one' })
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  await runBackup(repository, new LiveSource(directory), { encoder: inlineEncoder(nodeFileSystem) })
  const backup = await new BackupCatalogue(repository).find('latest')
  for (const name of ['precious', 'other.restoring']) {
    mkdirSync(`${temporary.path}/${name}/orders-0`, { recursive: true })
    const scratch = `${temporary.path}/${name.replace('.restoring', '')}`
    await expect(drillRestore(repository, backup, { scratch })).rejects.toThrow('is there')
    expect(existsSync(`${temporary.path}/${name}/orders-0`)).toBe(true)
  }
})

test('a drill removes nothing that somebody made in its place meanwhile', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  await (await directory.createLog('orders', 0)).append({ value: 'one' })
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  await runBackup(repository, new LiveSource(directory), { encoder: inlineEncoder(nodeFileSystem) })
  const backup = await new BackupCatalogue(repository).find('latest')
  const scratch = `${temporary.path}/scratch`
  const adjust = async (): Promise<readonly string[]> => {
    mkdirSync(`${scratch}/precious-0`, { recursive: true })
    return []
  }
  await expect(drillRestore(repository, backup, { scratch, hooks: { adjust } })).rejects.toThrow(
    'was made while it was being restored',
  )
  expect(readdirSync(scratch)).toEqual(['precious-0'])
  expect(existsSync(`${scratch}.restoring`)).toBe(false)
})

test('a drill of a repository that is read-only says what it showed, and that it is not noted', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  await (await directory.createLog('orders', 0)).append({ value: 'one' })
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  await runBackup(repository, new LiveSource(directory), { encoder: inlineEncoder(nodeFileSystem) })
  const backup = await new BackupCatalogue(repository).find('latest')
  vi.spyOn(target, 'put').mockRejectedValue(new TargetError('writing', new Error('EROFS')))
  const report = await drillRestore(repository, backup, { scratch: `${temporary.path}/scratch` })
  expect(report).toMatchObject({ findings: [], notRecorded: 'writing failed: EROFS' })
})
