import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import {
  CorruptRepositoryError,
  MissingObjectError,
  RepositoryBusyError,
} from '../../src/base/backup-errors.ts'
import { encodeManifest, type Manifest } from '../../src/format/manifest.ts'
import { mirrorRepository } from '../../src/mirroring/mirror-repository.ts'
import {
  BackupCatalogue,
  type BackupName,
  listBackups,
  manifestKey,
} from '../../src/repository/backup-catalogue.ts'
import { holdBackup } from '../../src/repository/holds.ts'
import { Lease } from '../../src/repository/leases.ts'
import { objectKey, Repository } from '../../src/repository/repository.ts'
import { MemoryTarget } from '../memory-target.ts'

const clock = new ManualClock()

/** Backups of nothing but an object each. */
async function add(repository: Repository, sequence: number, text: string): Promise<BackupName> {
  const { id } = await repository.putObject('data', 'main', Buffer.from(text))
  const catalogue = new BackupCatalogue(repository)
  const backupId = `20260101T000000.000Z-${String(sequence).padStart(8, '0')}`
  const name = { sourceId: catalogue.sourceIdOf('data'), sequence, backupId }
  const figures = { readBytes: 0, newObjects: 0, newBytes: 0, totalBytes: 0, recordBatches: 0 }
  const manifest: Manifest = {
    ...{ backupId, kind: 'full', base: null, sequence, previous: null, source: 'data' },
    ...{ startedMs: 0, takenMs: 0, finishedMs: 0, point: null, tags: [], sets: ['main'] },
    ...{ files: [], partitions: [], gaps: [], figures: { ...figures, durationMs: 0 } },
  }
  expect(encodeManifest(manifest).length).toBeGreaterThan(0)
  await catalogue.publish(name, manifest, new Map([['main', new Set([id.toString('hex')])]]))
  return name
}

async function scene(): Promise<{ from: MemoryTarget; to: MemoryTarget; repository: Repository }> {
  const from = new MemoryTarget(clock)
  const encryption = { passphrase: 'correct horse', rsaBits: 2048, scryptN: 1024 }
  const repository = await Repository.create(from, { encryption })
  await add(repository, 1, 'one')
  await add(repository, 2, 'two')
  return { from, to: new MemoryTarget(clock), repository }
}

const contentOf = (target: MemoryTarget): ReadonlyMap<string, string> =>
  new Map([...target.files].map(([key, { bytes }]) => [key, bytes.toString('hex')]))

test('a mirror is the repository, byte for byte, without a key', async () => {
  const { from, to } = await scene()
  const report = await mirrorRepository(from, to, { clock })
  expect(report).toMatchObject({ copiedBackups: 2, copiedObjects: 2, removedBackups: 0 })
  expect(contentOf(to)).toEqual(contentOf(from))
  const opened = await Repository.open(to, { passphrase: 'correct horse' })
  const catalogue = new BackupCatalogue(opened)
  expect((await catalogue.find('latest')).manifest.sequence).toBe(2)
})

test('only what is new is copied, and a mirror keeps what the first has lost unless told', async () => {
  const { from, to, repository } = await scene()
  await mirrorRepository(from, to, { clock })
  const first = (await listBackups(from))[0]
  await from.remove(manifestKey(first as BackupName))
  const { backupId } = await add(repository, 3, 'three')
  await holdBackup(from, backupId)
  const second = await mirrorRepository(from, to, { clock })
  expect(second).toMatchObject({ copiedBackups: 1, copiedObjects: 1, removedBackups: 0 })
  expect(await listBackups(to)).toHaveLength(3)
  const third = await mirrorRepository(from, to, { clock, removesOthers: true })
  expect(third).toMatchObject({ copiedBackups: 0, copiedObjects: 0, removedBackups: 1 })
  expect(await listBackups(to)).toEqual(await listBackups(from))
})

test('a damaged object is not passed on, and its backup does not appear', async () => {
  const { from, to } = await scene()
  const key = [...from.files.keys()].find((name) => name.startsWith('objects/')) ?? ''
  const file = from.files.get(key)
  if (file !== undefined) file.bytes[80] = (file.bytes[80] ?? 0) ^ 1
  await expect(mirrorRepository(from, to, { clock })).rejects.toThrow(CorruptRepositoryError)
  expect(await listBackups(to)).toEqual([])
  expect(to.files.has(key)).toBe(false)
})

test('an object under the name of another is not passed on', async () => {
  const { from, to } = await scene()
  const [one = '', two = ''] = [...from.files.keys()].filter((key) => key.startsWith('objects/'))
  const other = from.files.get(two)
  if (other !== undefined) from.files.set(one, other)
  await expect(mirrorRepository(from, to, { clock })).rejects.toThrow('another object')
})

test('an object that is missing is named', async () => {
  const { from, to } = await scene()
  const key = [...from.files.keys()].find((name) => name.startsWith('objects/')) ?? ''
  from.files.delete(key)
  await expect(mirrorRepository(from, to, { clock })).rejects.toThrow(new MissingObjectError(key))
})

test('another repository is not overwritten', async () => {
  const { from, to } = await scene()
  await Repository.create(to)
  await expect(mirrorRepository(from, to, { clock })).rejects.toThrow('another repository')
})

test('interrupted anywhere, no backup is there that is not whole, and the next run completes it', async () => {
  const { from } = await scene()
  for (let crashAt = 0; ; crashAt++) {
    const to = new MemoryTarget(clock)
    let calls = 0
    to.onCall = () => {
      if (calls++ >= crashAt) throw new Error('power lost')
    }
    const isDone = await mirrorRepository(from, to, { clock }).then(
      () => true,
      () => false,
    )
    to.onCall = () => {}
    for (const name of await listBackups(to)) expect(await isWhole(to, name)).toBe(true)
    for (const key of to.files.keys()) if (key.startsWith('leases/')) to.files.delete(key)
    await mirrorRepository(from, to, { clock })
    expect(contentOf(to)).toEqual(contentOf(from))
    if (isDone) break
  }
})

async function isWhole(target: MemoryTarget, name: BackupName): Promise<boolean> {
  const repository = await Repository.open(target, { passphrase: 'correct horse' })
  const references = await new BackupCatalogue(repository).references(name)
  if (references === null) return false
  return [...references].every(([set, ids]) =>
    [...ids].every((id) => target.files.has(objectKey(set, id))),
  )
}

test('nothing is copied while objects are removed', async () => {
  const { from, to } = await scene()
  const lease = await Lease.take('sweep', from, clock)
  await expect(mirrorRepository(from, to, { clock })).rejects.toThrow(RepositoryBusyError)
  await lease.release()
  expect([...from.files.keys()].filter((key) => key.startsWith('leases/'))).toEqual([])
})
