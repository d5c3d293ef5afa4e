import { expect, test } from 'vitest'
import { backupIdTime } from '../../src/format/manifest.ts'
import { lastDrill } from '../../src/measuring/last-drill.ts'
import { describeRepository } from '../../src/measuring/repository-standing.ts'
import { manifestKey } from '../../src/repository/backup-catalogue.ts'
import { recordDrill } from '../../src/repository/drill-records.ts'
import { Repository } from '../../src/repository/repository.ts'
import { noteVerification } from '../../src/repository/verifications.ts'
import { appendRecords, cheapPassphrase, keysOf, Machine } from '../backup-fixture.ts'

test('a repository is described as it stands, source by source', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  expect(await describeRepository(repository)).toMatchObject({
    ...{ objects: 0, storedBytes: 0, sources: [], lastDrill: null },
  })
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 100)
  const first = await machine.back(repository, directory, { source: 'shop' })
  await appendRecords(log, 100)
  const second = await machine.back(repository, directory, { source: 'shop' })
  const other = await machine.back(repository, directory, { source: 'office' })
  const { target } = repository
  const { idKey } = repository.keys.naming
  const note = { backupId: first.backupId, atMs: machine.clock.now(), isSound: true }
  await noteVerification(target, idKey, note)
  await noteVerification(target, idKey, { ...note, backupId: other.backupId, isSound: false })
  const { objects, storedBytes, sources } = await describeRepository(repository)
  expect(objects).toBe((await keysOf(target, 'objects/')).length)
  const stored = [first, second, other].map(({ figures }) => figures.newBytes)
  expect(storedBytes).toBe(stored.reduce((sum, bytes) => sum + bytes))
  const bySource = new Map(sources.map((standing) => [standing.source, standing]))
  expect(bySource.get('shop')).toMatchObject({
    ...{ backups: 2, damaged: 0, newestMs: backupIdTime(second.backupId) },
    newestVerifiedMs: backupIdTime(first.backupId),
  })
  expect(bySource.get('office')).toMatchObject({ backups: 1, damaged: 1, newestVerifiedMs: null })

  // The newest manifest is damaged: an earlier one says the name.
  const names = sources.find(({ source }) => source === 'shop')
  const { backupId, sequence } = second
  const key = manifestKey({ sourceId: names?.sourceId ?? '', sequence, backupId })
  await target.put(key, Buffer.from('rot'), { mode: 'replace' })
  const again = await describeRepository(repository)
  expect(again.sources.map(({ source }) => source).sort()).toEqual(['office', 'shop'])
})

test('whoever can only write sees how it stands, but no names', async () => {
  const machine = new Machine()
  await using repository = await machine.create({ encryption: cheapPassphrase })
  await using directory = await machine.openData()
  await directory.createLog('t', 0)
  await machine.back(repository, directory, { source: 'shop' })
  const { idKey } = repository.keys.naming
  if (idKey === null) throw new Error('it is encrypted')
  const { repositoryId } = repository.file
  const keyFile = { role: 'writer', repositoryId, idKey, privateKey: null } as const
  await using writer = await Repository.open(machine.target, { keyFile })
  const { sources } = await describeRepository(writer)
  expect(sources).toMatchObject([{ source: null, backups: 1 }])
})

test('the last drill is the newest one whose record is whole', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  const { target } = repository
  const figures = { recoveryMs: 5, bytes: 1, bytesPerSecond: 0.5, partitions: 1, findings: 0 }
  const backupId = '20261121T072125.460Z-0c1f4e13'
  for (const atMs of [1000, 2000]) {
    machine.clock.advance(1000)
    await recordDrill(target, { backupId, atMs, ...figures }, machine.clock)
  }
  expect((await lastDrill(target))?.atMs).toBe(2000)
  const [, newest = ''] = await keysOf(target, 'drills/')
  await target.put(newest, Buffer.from('{"backupId": 7}'), { mode: 'replace' })
  expect((await lastDrill(target))?.atMs).toBe(1000)
})
