import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test, vi } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { AuditLog } from '../../src/repository/audit-log.ts'
import { BackupCatalogue, listBackups } from '../../src/repository/backup-catalogue.ts'
import { Repository } from '../../src/repository/repository.ts'
import { BackupFollower } from '../../src/scheduling/backup-follower.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'

const encoder = inlineEncoder(nodeFileSystem)

test('what is appended is in the repository soon, and nothing is written while nothing comes', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  await using repository = await Repository.create(
    new DirectoryTarget(`${temporary.path}/repository`),
  )
  const follower = new BackupFollower(repository, new LiveSource(directory), {
    intervalMs: 100,
    encoder,
  })
  const catalogue = new BackupCatalogue(repository)
  const endOffset = async (): Promise<number> => {
    const { manifest } = await catalogue.find('latest')
    return manifest.partitions[0]?.endOffset ?? -1
  }
  for (let count = 1; count <= 3; count++) {
    await log.append({ value: `record ${count}` })
    await vi.waitFor(async () => expect(await endOffset()).toBe(count), 5000)
  }
  // What came while a round looked is looked at once more.
  await new Promise((resolve) => setTimeout(resolve, 350))
  const before = follower.status.backups
  await new Promise((resolve) => setTimeout(resolve, 350))
  expect(follower.status).toMatchObject({ backups: before, error: null })
  expect(follower.status.recoveryPointAgeMs).toBeLessThan(2000)
  await follower.stop()
  const kinds = []
  for (const name of await catalogue.list()) kinds.push((await catalogue.read(name)).manifest.kind)
  expect(kinds.shift()).toBe('full')
  expect(new Set(kinds)).toEqual(new Set(['follow']))
})

test('old ones thin out, and the audit log says so', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  const source = new LiveSource(directory)
  const options = { intervalMs: 100, keepLast: 2, encoder }
  const follower = new BackupFollower(repository, source, options)
  await vi.waitFor(
    async () => {
      await log.append({ value: 'one more' })
      expect(follower.status.backups).toBeGreaterThan(8)
    },
    { timeout: 20_000, interval: 20 },
  )
  await follower.stop()
  // Two, those of the minutes, and those that wait to be removed together.
  expect((await listBackups(target)).length).toBeLessThan(8)
  const actions = (await new AuditLog(target, null).read()).map(({ action }) => action)
  expect(new Set(actions)).toEqual(new Set(['thin out']))
})

test('a round that fails is told and tried again', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  await log.append({ value: 'one' })
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  let isBroken = true
  const put = target.put.bind(target)
  target.put = (...given) =>
    isBroken ? Promise.reject(new TargetError('writing', new Error('broken'))) : put(...given)
  const errors: string[] = []
  const follower = new BackupFollower(repository, new LiveSource(directory), {
    intervalMs: 100,
    encoder,
    onError: ({ code }) => errors.push(code),
  })
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1), 5000)
  expect(follower.status.error).toBeInstanceOf(TargetError)
  isBroken = false
  await vi.waitFor(() => expect(follower.status).toMatchObject({ backups: 1, error: null }), 5000)
  await follower.stop()
  expect(new Set(errors)).toEqual(new Set(['VARVE_BACKUP_TARGET']))
})

test('an interval or a number to keep that is none is refused', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  await using repository = await Repository.create(
    new DirectoryTarget(`${temporary.path}/repository`),
  )
  const source = new LiveSource(directory)
  expect(() => new BackupFollower(repository, source, { intervalMs: 1 })).toThrow(
    InvalidArgumentError,
  )
  expect(() => new BackupFollower(repository, source, { keepLast: 0 })).toThrow(
    InvalidArgumentError,
  )
})
