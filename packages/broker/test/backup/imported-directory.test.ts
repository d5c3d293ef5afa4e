import {
  exportToSqlite,
  groupOffsets,
  importToDirectory,
  openExport,
  replayHistory,
  snapshotHistory,
} from '@varve/backup'
import { verifyPath } from '@varve/log'
import { makeTemporaryDirectory, Random, seedFromEnvironment } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { readGroupOffset, settingsInHistory } from '../../src/backup/history-facts.ts'
import { completeImport } from '../../src/backup/imported-directory.ts'
import { VarveReplaySink } from '../../src/backup/varve-replay-sink.ts'
import { type DirectoryVarve, openDataDirectory } from '../../src/directory-varve.ts'
import { errorOf, newMachine, openOn } from '../broker-fixture.ts'
import { backUp, committedRecords, fillAtRandom, mapPath, onFileSystem } from './replay-fixture.ts'

const importedPath = '/imported'

/** Topics and groups as `fillAtRandom` makes them, on a machine of their own. */
async function openSource(seed: number) {
  const machine = newMachine()
  for (const path of ['/maps', '/backups']) machine.fs.makeDirectories(path)
  const source = onFileSystem(await openOn(machine, { cleaning: false }), machine.fs)
  await fillAtRandom(source, new Random(seed))
  const groups = await source.groups()
  const metadata = 'half way'
  await groups.resetOffsets('billing', [{ topic: 'plain', partition: 1, offset: 17, metadata }])
  return { machine, source }
}

const places = [
  ['plain', 0],
  ['plain', 1],
  ['mixed', 0],
  ['mixed', 1],
  ['empty', 0],
  ['empty', 2],
] as const

type Records = Awaited<ReturnType<typeof committedRecords>>

async function allRecords(varve: DirectoryVarve): Promise<readonly Records[]> {
  const all: Records[] = []
  for (const [topic, partition] of places) {
    all.push(await committedRecords(varve.log(topic, partition)))
  }
  return all
}

test('what is exported and imported again is the same, record by record and offset by offset', async () => {
  const seed = seedFromEnvironment('export and import')
  using directory = makeTemporaryDirectory()
  for (let run = 0; run < 3; run++) {
    const { machine, source } = await openSource(seed + run)
    const path = `${directory.path}/export-${run}.db`
    const history = await backUp(machine, source)
    const groups = await groupOffsets(history, readGroupOffset)
    const settings = settingsInHistory(history)
    const report = await exportToSqlite(history, path, { groups, settings })
    const expected = await allRecords(source)
    expect(report.records).toBe(expected.reduce((sum, records) => sum + records.length, 0))
    expect(report).toMatchObject({ topics: 3, partitions: 7, gaps: [] })

    using exported = await openExport(path)
    const { fs } = machine
    const imported = await importToDirectory(exported.history, importedPath, {
      fs,
      segmentBytes: 10_000,
      complete: (staging, topics) => completeImport(staging, topics, exported, { fs }),
    })
    expect(imported.partitions).toBe(7)
    await using varve = await openDataDirectory(importedPath, { ...machine, cleaning: false })
    expect(await allRecords(varve)).toEqual(expected)
    for (const topic of ['plain', 'mixed', 'empty']) {
      const before = await source.describeTopic(topic)
      const after = await varve.describeTopic(topic)
      expect(after).toMatchObject({ topicId: before.topicId, settings: before.settings })
      const ends = ({ partitions }: typeof before) =>
        partitions.map(({ logStartOffset, highWatermark }) => [logStartOffset, highWatermark])
      expect(ends(after)).toEqual(ends(before))
    }
    const { offsets } = await (await varve.groups()).describe('billing')
    expect(offsets).toMatchObject([{ offset: 17, metadata: 'half way' }])
    const sent = await varve.producer().send('plain', { value: 'next' }, { partition: 1 })
    expect(sent.offset).toBe(source.log('plain', 1).highWatermark)
    await source.close()
  }
})

test('an imported directory is in order, and one that was there is not touched', async () => {
  const { machine, source } = await openSource(seedFromEnvironment('an imported directory'))
  const { fs } = machine
  const history = await backUp(machine, source)
  await importToDirectory(history, importedPath, { fs, segmentBytes: 5000 })
  const findings: unknown[] = []
  for await (const finding of verifyPath(importedPath, { fs })) findings.push(finding)
  expect(findings).toEqual([])
  const again = importToDirectory(history, importedPath, { fs })
  expect((await errorOf(again, InvalidArgumentError)).message).toContain('is there already')
  await source.close()
})

test('an import that dies leaves nothing under its name, and is done by the next one', async () => {
  const random = new Random(seedFromEnvironment('an import that dies'))
  const { machine, source } = await openSource(1)
  const history = await backUp(machine, source)
  const start = machine.fs.operations
  await importToDirectory(history, importedPath, { fs: machine.fs, segmentBytes: 5000 })
  const end = machine.fs.operations
  await using whole = await openDataDirectory(importedPath, { ...machine, cleaning: false })
  const expected = await allRecords(whole)
  for (let death = 0; death < 10; death++) {
    const at = random.between(start, end)
    const fs = machine.fs.crashState(at, { mode: 'harsh', seed: random.next() })
    if (fs.stat(importedPath) === null) await importToDirectory(history, importedPath, { fs })
    const clock = machine.clock
    await using varve = await openDataDirectory(importedPath, { fs, clock, cleaning: false })
    expect(await allRecords(varve), `died at ${at}`).toEqual(expected)
  }
  await source.close()
})

test('an export can be replayed', async () => {
  using directory = makeTemporaryDirectory()
  const { machine, source } = await openSource(seedFromEnvironment('an export that is replayed'))
  const path = `${directory.path}/all.db`
  {
    await using snapshot = await source.backupSource().snapshot()
    await exportToSqlite(snapshotHistory(machine.fs, 'live', snapshot), path)
  }
  using exported = await openExport(path)
  await using target = await openDataDirectory('/target', { ...machine, cleaning: false })
  await using sink = new VarveReplaySink(target, { name: 'target' })
  await replayHistory(exported.history, sink, { map: mapPath, fs: machine.fs })
  const contents = async (varve: DirectoryVarve) =>
    (await allRecords(varve)).map((records) => records.map(([, content]) => content))
  expect(await contents(target)).toEqual(await contents(source))
  await source.close()
})
