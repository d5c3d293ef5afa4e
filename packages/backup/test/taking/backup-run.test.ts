import { expect, test } from 'vitest'
import { RepositoryRolledBackError } from '../../src/base/backup-errors.ts'
import { BackupCatalogue, manifestKey } from '../../src/repository/backup-catalogue.ts'
import { Repository } from '../../src/repository/repository.ts'
import {
  appendRecords,
  cheapPassphrase,
  compact,
  keysOf,
  Machine,
  sourceBytes,
  storedBytes,
} from '../backup-fixture.ts'

test('a full backup has every visible byte, and partitions that are empty', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('orders', 0)
  await directory.createLog('orders', 1)
  await appendRecords(log, 500)
  const report = await machine.back(repository, directory, { kind: 'full' })
  expect(report).toMatchObject({ kind: 'full', base: null, sequence: 1, partitions: 2 })
  expect(report.gaps).toEqual([])
  expect(report.segments).toBe(log.segmentCount)
  const stored = await storedBytes(repository)
  expect(stored.get('orders-0')?.segments).toEqual(sourceBytes(machine, log))
  expect(stored.get('orders-1')?.segments).toEqual([])
  expect(report.figures.recordBatches).toBe(500)
  expect(machine.fs.openFiles().filter((path) => path.startsWith('/backups'))).toEqual([])
})

test('an incremental one reads and stores only what has come', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 500)
  const first = await machine.back(repository, directory)
  const nothing = await machine.back(repository, directory)
  expect(nothing).toMatchObject({ base: first.backupId, sequence: 2 })
  expect(nothing.figures).toMatchObject({ newObjects: 0, newBytes: 0, readBytes: 0 })
  await appendRecords(log, 40, 'more')
  const more = await machine.back(repository, directory)
  expect(more.figures.recordBatches).toBe(40)
  expect(more.figures.newBytes).toBeLessThan(first.figures.newBytes / 4)
  for (const { backupId } of [first, nothing, more]) {
    const stored = (await storedBytes(repository, backupId)).get('t-0')
    const wanted = Buffer.concat(sourceBytes(machine, log))
    const bytes = Buffer.concat(stored?.segments ?? [])
    expect(bytes).toEqual(wanted.subarray(0, bytes.length))
  }
  expect((await storedBytes(repository)).get('t-0')?.segments).toEqual(sourceBytes(machine, log))
})

test.each(['incremental', 'differential', 'follow'] as const)(
  'the first backup of a source is a full one, though %s was asked for',
  async (kind) => {
    const machine = new Machine()
    await using repository = await machine.create()
    await using directory = await machine.openData()
    const log = await directory.createLog('t', 0)
    await appendRecords(log, 200)
    const first = await machine.back(repository, directory, { kind })
    expect(first).toMatchObject({ kind: 'full', base: null })
    await appendRecords(log, 20)
    await machine.back(repository, directory)
    await appendRecords(log, 20)
    const wish = { kind: 'differential' } as const
    const differential = await machine.back(repository, directory, wish)
    expect(differential).toMatchObject({ kind: 'differential', base: first.backupId })
    // And so it is for a host that remembers nothing.
    const stateDirectory = '/elsewhere'
    const again = await machine.back(repository, directory, { ...wish, stateDirectory })
    expect(again).toMatchObject({ kind: 'differential', base: first.backupId })
    const { manifest } = await new BackupCatalogue(repository).find(first.backupId)
    expect(manifest).toMatchObject({ kind: 'full', sets: ['main'] })
  },
)

test('a tail that grows in many small steps is made into larger objects now and then', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData({ segmentBytes: 2 ** 20 })
  const log = await directory.createLog('t', 0)
  for (let round = 0; round < 60; round++) {
    await appendRecords(log, 1)
    const { gaps } = await machine.back(repository, directory, { kind: 'follow' })
    expect(gaps).toEqual([])
  }
  const { list, segments } = (await storedBytes(repository)).get('t-0') ?? {}
  expect(segments).toEqual(sourceBytes(machine, log))
  expect(list?.segments[0]?.extents.length).toBeLessThan(25)
})

test('a segment that was stored while it grew is completed when it is sealed', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 30)
  await machine.back(repository, directory)
  await appendRecords(log, 30)
  await log.roll()
  await appendRecords(log, 5)
  const report = await machine.back(repository, directory)
  expect(report.figures.recordBatches).toBe(35)
  const { list, segments } = (await storedBytes(repository)).get('t-0') ?? {}
  expect(list?.segments.map(({ isSealed }) => isSealed)).toEqual([true, false])
  expect(segments).toEqual(sourceBytes(machine, log))
})

test('a differential one stands on the last full one alone', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 300)
  const full = await machine.back(repository, directory, { kind: 'full' })
  await appendRecords(log, 100)
  const between = await machine.back(repository, directory)
  await appendRecords(log, 100)
  const differential = await machine.back(repository, directory, { kind: 'differential' })
  expect(differential).toMatchObject({ base: full.backupId, sequence: 3, gaps: [] })
  // Whatever the one between had is lost, and only that.
  const catalogue = new BackupCatalogue(repository)
  const references = async (id: string): Promise<Set<string>> => {
    const { name } = await catalogue.find(id)
    const sets = (await catalogue.references(name)) ?? new Map<string, ReadonlySet<string>>()
    return new Set([...sets].flatMap(([set, ids]) => [...ids].map((hex) => `${set}/${hex}`)))
  }
  const own = await references(full.backupId)
  for (const name of await references(between.backupId)) {
    if (own.has(name)) continue
    const [set, id = ''] = name.split('/')
    await repository.target.remove(`objects/${set}/${id.slice(0, 2)}/${id}`)
  }
  await expect(storedBytes(repository, between.backupId)).rejects.toThrow('is not in the')
  const stored = await storedBytes(repository, differential.backupId)
  expect(stored.get('t-0')?.segments).toEqual(sourceBytes(machine, log))
})

test('an independent one shares no object with any other', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 300)
  await machine.back(repository, directory)
  const alone = await machine.back(repository, directory, { kind: 'full', isIndependent: true })
  for (const key of await keysOf(repository.target, 'objects/main/')) {
    await repository.target.remove(key)
  }
  const stored = await storedBytes(repository, alone.backupId)
  expect(stored.get('t-0')?.segments).toEqual(sourceBytes(machine, log))
})

test('what compaction and retention left between two backups is what the second has', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 600)
  const before = await machine.back(repository, directory)
  const had = sourceBytes(machine, log)
  await compact(machine, log, (offset) => offset % 3 === 0)
  await log.deleteSegmentsBefore(log.logStartOffset + 1)
  await machine.back(repository, directory)
  const stored = await storedBytes(repository)
  expect(stored.get('t-0')?.segments).toEqual(sourceBytes(machine, log))
  const earlier = await storedBytes(repository, before.backupId)
  expect(earlier.get('t-0')?.segments).toEqual(had)
})

test('a topic made anew under its name shares nothing with the old one', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const old = await directory.createLog('t', 0)
  await appendRecords(old, 200, 'old')
  const first = await machine.back(repository, directory)
  await directory.deleteLog('t', 0)
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 200, 'new')
  const second = await machine.back(repository, directory)
  expect(second.figures.recordBatches).toBe(200)
  const stored = (await storedBytes(repository)).get('t-0')
  expect(stored?.segments).toEqual(sourceBytes(machine, log))
  expect(second.backupId > first.backupId).toBe(true)
})

test('without what is remembered beside the source everything works', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 300)
  await machine.back(repository, directory)
  const states = [...machine.fs.tree().keys()].filter((path) => path.endsWith('-latest'))
  expect(states.length).toBe(1)
  for (const state of states) machine.fs.writeBytes(state, Buffer.from('rubbish'))
  const report = await machine.back(repository, directory)
  expect(report).toMatchObject({ sequence: 2, warnings: [], gaps: [] })
  expect(report.figures.readBytes).toBe(0)
})

test('a writer without what is remembered reads everything, and stores nothing twice', async () => {
  const machine = new Machine()
  const made = await machine.create({ encryption: cheapPassphrase })
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 300)
  await machine.back(made, directory)
  const idKey = made.keys.naming.idKey
  const keyFile = { role: 'writer' as const, repositoryId: null, idKey, privateKey: null }
  await using writer = await Repository.open(machine.target, { keyFile })
  const state = [...machine.fs.tree().keys()].find((path) => path.endsWith('-latest'))
  await machine.fs.remove(state ?? '')
  const report = await machine.back(writer, directory)
  expect(report).toMatchObject({ base: null, sequence: 2, gaps: [] })
  expect(report.figures.readBytes).toBeGreaterThan(0)
  expect(report.figures.newObjects).toBe(0)
  await expect(storedBytes(writer)).rejects.toMatchObject({ code: 'VARVE_BACKUP_KEY' })
})

test('a repository that was put back to an older state is noticed', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 10)
  await machine.back(repository, directory)
  await appendRecords(log, 10)
  await machine.back(repository, directory)
  const { name } = await new BackupCatalogue(repository).find('latest')
  await repository.target.remove(manifestKey(name))
  await expect(machine.back(repository, directory)).rejects.toThrow(RepositoryRolledBackError)
})

test('a damaged earlier backup is told of, and keeps nobody from taking the next', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 200)
  const first = await machine.back(repository, directory)
  await appendRecords(log, 10)
  const second = await machine.back(repository, directory)
  const { name } = await new BackupCatalogue(repository).find('latest')
  machine.fs.flipBit(`/backups/repository/${manifestKey(name)}`, 999)
  for (const path of machine.fs.tree().keys()) {
    if (path.endsWith('-latest')) machine.fs.flipBit(path, 999)
  }
  const third = await machine.back(repository, directory)
  expect(third).toMatchObject({ base: first.backupId, sequence: 3, gaps: [] })
  expect(third.warnings.join()).toContain(second.backupId)
  expect((await storedBytes(repository)).get('t-0')?.segments).toEqual(sourceBytes(machine, log))
})

test('each backup names the one before it by its file', async () => {
  const machine = new Machine()
  await using repository = await machine.create({ encryption: cheapPassphrase })
  await using directory = await machine.openData()
  await appendRecords(await directory.createLog('t', 0), 10)
  const { passphrase } = cheapPassphrase
  await using reading = await Repository.open(machine.target, { passphrase })
  const catalogue = new BackupCatalogue(reading)
  let before: Buffer | null = null
  for (let sequence = 1; sequence <= 4; sequence++) {
    await machine.back(repository, directory)
    const { manifest, fileHash } = await catalogue.find('latest')
    expect(manifest).toMatchObject({ sequence, previous: before })
    before = fileHash
  }
})
