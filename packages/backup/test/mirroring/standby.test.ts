import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test, vi } from 'vitest'
import { Standby } from '../../src/mirroring/standby.ts'
import { inlineDecoder, type ObjectDecoder } from '../../src/reading/object-decoder.ts'
import { Repository } from '../../src/repository/repository.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'

const encoder = inlineEncoder(nodeFileSystem)
const decoder = inlineDecoder()

test('a standby becomes what each newer backup is, and is left alone while somebody has it open', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  const source = new LiveSource(directory)
  const to = `${temporary.path}/standby`
  const errors: string[] = []
  const standby = new Standby(repository, {
    ...{ to, intervalMs: 100, encoder, decoder },
    onError: ({ code }) => errors.push(code),
  })
  await vi.waitFor(() => expect(errors).toContain('VARVE_BACKUP_NOT_FOUND'), 5000)

  const backUp = async (count: number): Promise<string> => {
    for (let index = 0; index < count; index++) await log.append({ value: `record ${index}` })
    await log.roll()
    return (await runBackup(repository, source, { encoder })).backupId
  }
  const hasBecome = (backupId: string): Promise<void> =>
    vi.waitFor(() => expect(standby.status).toMatchObject({ backupId, error: null }), 5000)
  await hasBecome(await backUp(3))
  const second = await backUp(2)
  await hasBecome(second)
  expect(standby.status.ageMs).toBeLessThan(10_000)

  const opened = await LogDirectory.open(to)
  expect(opened.log('orders', 0).logEndOffset).toBe(5)
  const third = await backUp(4)
  await vi.waitFor(() => expect(errors).toContain('VARVE_LOG_LOCKED'), 5000)
  expect(standby.status.backupId).toBe(second)
  await opened.close()
  await hasBecome(third)
  await standby.stop()
  await using reopened = await LogDirectory.open(to)
  expect(reopened.log('orders', 0).logEndOffset).toBe(9)
})

test('a standby goes on where another one stopped, and replaces nothing that is not its own', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  await using repository = await Repository.create(
    new DirectoryTarget(`${temporary.path}/repository`),
  )
  await log.append({ value: 'first' })
  const { backupId } = await runBackup(repository, new LiveSource(directory), { encoder })
  const to = `${temporary.path}/standby`
  const restored: string[] = []
  const options = {
    ...{ to, intervalMs: 100, encoder, decoder },
    onRestored: (report: { readonly backupId: string }) => restored.push(report.backupId),
  }
  const follow = async (wish: object, until: (standby: Standby) => void): Promise<void> => {
    const standby = new Standby(repository, { ...options, ...wish })
    await vi.waitFor(() => until(standby), 5000)
    await standby.stop()
  }
  const isHeld = (standby: Standby): void => expect(standby.status.backupId).toBe(backupId)
  const isRefused = (standby: Standby): void =>
    expect(standby.status.error?.code).toBe('VARVE_RESTORE_REFUSED')
  await follow({}, isHeld)
  await follow({}, isHeld)
  expect(restored).toEqual([backupId])

  // What a crash left between taking the place of the old state and removing that.
  const before = `${to}.before-restore`
  mkdirSync(before)
  await follow({}, isHeld)
  expect(existsSync(before)).toBe(false)

  await using other = await Repository.create(new DirectoryTarget(`${temporary.path}/other`))
  await runBackup(other, new LiveSource(directory), { encoder })
  const stranger = new Standby(other, options)
  await vi.waitFor(() => isRefused(stranger), 5000)
  await stranger.stop()
  // Released: it is somebody's own.
  rmSync(`${to}/varve-retention-hold`)
  await follow({}, isRefused)
  const mine = `${temporary.path}/mine`
  mkdirSync(mine)
  writeFileSync(`${mine}/letter`, 'dear')
  mkdirSync(`${mine}.before-restore`)
  await follow({ to: mine }, isRefused)
  expect(readdirSync(mine)).toEqual(['letter'])
  expect(existsSync(`${mine}.before-restore`)).toBe(true)
  expect(restored).toEqual([backupId])
})

test('a standby removes nothing beside its directory that no standby was', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  await (await directory.createLog('orders', 0)).append({ value: 'first' })
  await using repository = await Repository.create(
    new DirectoryTarget(`${temporary.path}/repository`),
  )
  const source = new LiveSource(directory)
  await runBackup(repository, source, { encoder })
  const to = `${temporary.path}/standby`
  // What a restore in place kept aside, of a directory that was removed afterwards.
  const aside = `${to}.before-restore`
  mkdirSync(`${aside}/precious-0`, { recursive: true })
  const standby = new Standby(repository, { to, intervalMs: 100, encoder, decoder })
  const isRefused = (): void =>
    expect(standby.status.error?.message).toContain('is no standby of this repository')
  await vi.waitFor(isRefused, 5000)
  expect(existsSync(to)).toBe(false)
  rmSync(aside, { recursive: true })
  await vi.waitFor(() => expect(standby.status).toMatchObject({ error: null }), 5000)
  mkdirSync(`${aside}/precious-0`, { recursive: true })
  await directory.log('orders', 0).append({ value: 'second' })
  await runBackup(repository, source, { encoder })
  await vi.waitFor(isRefused, 5000)
  await standby.stop()
  expect(readdirSync(aside)).toEqual(['precious-0'])
})

test('a standby at a symbolic link is kept where that leads', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  await using repository = await Repository.create(
    new DirectoryTarget(`${temporary.path}/repository`),
  )
  const to = `${temporary.path}/link`
  symlinkSync('disk', to)
  const standby = new Standby(repository, { to, intervalMs: 100, encoder, decoder })
  for (const value of ['first', 'second']) {
    await log.append({ value })
    const { backupId } = await runBackup(repository, new LiveSource(directory), { encoder })
    await vi.waitFor(() => expect(standby.status).toMatchObject({ backupId, error: null }), 5000)
  }
  await standby.stop()
  expect(readlinkSync(to)).toBe('disk')
  await using reopened = await LogDirectory.open(to)
  expect(reopened.log('orders', 0).logEndOffset).toBe(2)
  const left = readdirSync(temporary.path).filter((name) => /disk|link/.test(name))
  expect(left.sort()).toEqual(['disk', 'link'])
})

test('a signal ends a round that goes on, and the next standby goes on with it', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  for (let round = 0; round < 3; round++) {
    await log.append({ value: 'x'.repeat(1000) })
    await log.roll()
  }
  await runBackup(repository, new LiveSource(directory), { encoder })
  const to = `${temporary.path}/standby`
  const ending = new AbortController()
  const options = { to, intervalMs: 100, encoder }
  const interrupting: ObjectDecoder = {
    ...decoder,
    decode: (task) => {
      ending.abort()
      return decoder.decode(task)
    },
  }
  const standby = new Standby(repository, {
    ...options,
    decoder: interrupting,
    signal: ending.signal,
  })
  await standby.ended
  expect(existsSync(to)).toBe(false)
  const next = new Standby(repository, { ...options, decoder })
  await vi.waitFor(() => expect(next.status.backupId).not.toBe(null), 5000)
  await next.stop()
  expect(existsSync(to)).toBe(true)
})

test('an interval that is none is refused', async () => {
  using temporary = makeTemporaryDirectory()
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  const to = `${temporary.path}/standby`
  expect(() => new Standby(repository, { to, intervalMs: 0 })).toThrow(InvalidArgumentError)
})
