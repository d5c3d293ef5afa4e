import { makeTemporaryDirectory, Random, seedFromEnvironment } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import { exportToSqlite } from '../../src/exporting/export-run.ts'
import { headersFromSql, headersToSql } from '../../src/exporting/export-schema.ts'
import { openExport } from '../../src/exporting/exported-history.ts'
import { importToDirectory } from '../../src/exporting/import-run.ts'
import { fromSql, openSqlite, SqliteMissingError, toSql } from '../../src/exporting/sqlite.ts'
import { snapshotHistory } from '../../src/reading/record-history.ts'
import { DirectorySource } from '../../src/source/directory-source.ts'
import { appendRecords, dataPath, Machine } from '../backup-fixture.ts'

test('bytes and headers come back as they were, whatever they are', () => {
  const random = new Random(seedFromEnvironment('bytes in SQL'))
  const samples = [
    ...['', 'text', 'ä€😀', '\uFEFFbom', 'a\0b', '17'].map((text) => Buffer.from(text)),
    ...[[255], [0xc3], [0xed, 0xa0, 0x80], [0]].map((bytes) => Buffer.from(bytes)),
    ...Array.from({ length: 200 }, () => random.bytes(random.int(6))),
  ]
  for (const bytes of samples) expect(fromSql(toSql(bytes))).toEqual(bytes)
  expect(fromSql(toSql(null))).toBeNull()
  expect(fromSql(17)).toBeUndefined()
  expect(toSql(Buffer.from('a\0b'))).toBeInstanceOf(Buffer)
  const headers = [...samples, null].map((value, index) => ({ key: `k${index % 5}`, value }))
  expect(headersFromSql(headersToSql(headers), 'here')).toEqual(headers)
  expect(headersFromSql(headersToSql([]), 'here')).toEqual([])
})

test('without the package the error says what to install', async () => {
  const failing = (): Promise<never> => Promise.reject(new Error('Cannot find package'))
  const opening = openSqlite('/nowhere/a.db', { isNew: true }, failing)
  await expect(opening).rejects.toThrow(SqliteMissingError)
  await expect(openSqlite('/nowhere/a.db', { isNew: true })).rejects.toThrow(InvalidArgumentError)
})

async function exportSome(path: string): Promise<Machine> {
  const machine = new Machine()
  await using directory = await machine.openData()
  await appendRecords(await directory.createLog('a', 0), 20)
  await using snapshot = await new DirectorySource(dataPath, { fs: machine.fs }).snapshot()
  await exportToSqlite(snapshotHistory(machine.fs, dataPath, snapshot), path)
  return machine
}

test('a database that somebody has changed is refused, not imported wrongly', async () => {
  using directory = makeTemporaryDirectory()
  const path = `${directory.path}/a.db`
  const { fs } = await exportSome(path)
  const changes = [
    "UPDATE partitions SET topic = '../a'",
    'UPDATE partitions SET end_offset = -1',
    "UPDATE topics SET topic_id = '..'",
    'UPDATE export SET format = 2',
    'DELETE FROM export',
    'DROP TABLE partitions',
    'UPDATE records SET offset = 1.5 WHERE offset = 3',
    "UPDATE records SET headers = '{}' WHERE offset = 3",
    'UPDATE records SET key = 17 WHERE offset = 3',
    "UPDATE records SET timestamp = 'soon' WHERE offset = 3",
  ]
  for (const change of changes) {
    const changed = `${directory.path}/changed.db`
    const database = new Database(path)
    await database.backup(changed)
    database.close()
    const other = new Database(changed)
    other.exec(change)
    other.close()
    const importing = async (): Promise<void> => {
      using exported = await openExport(changed)
      await importToDirectory(exported.history, '/imported', { fs })
    }
    await expect(importing(), change).rejects.toThrow(CorruptRepositoryError)
    expect(fs.stat('/imported')).toBeNull()
  }
})

test('an export that is interrupted leaves no file under its name', async () => {
  using directory = makeTemporaryDirectory()
  const path = `${directory.path}/a.db`
  const machine = new Machine()
  await using data = await machine.openData()
  await appendRecords(await data.createLog('a', 0), 20)
  await using snapshot = await new DirectorySource(dataPath, { fs: machine.fs }).snapshot()
  const history = snapshotHistory(machine.fs, dataPath, snapshot)
  const signal = AbortSignal.abort()
  await expect(exportToSqlite(history, path, { signal })).rejects.toThrow()
  expect((await exportToSqlite(history, path)).records).toBe(20)
})

test('an export can be asked in SQL', async () => {
  using directory = makeTemporaryDirectory()
  const path = `${directory.path}/orders.db`
  const machine = new Machine()
  await using data = await machine.openData()
  const log = await data.createLog('orders', 0)
  const headers = [
    { key: 'a', value: null },
    { key: 'a', value: Buffer.from([255]) },
    { key: 'b', value: 'text' },
  ]
  await log.append({ key: 'o-1', value: '{"total": 17}', headers, timestamp: 1 })
  await log.append({ key: 'o-2', value: '{"total": 4}', timestamp: 2 })
  await log.append({ key: 'o-1', value: null, timestamp: 3 })
  await log.append({ key: Buffer.from([0, 255]), value: '', timestamp: 4 })
  await using snapshot = await new DirectorySource(dataPath, { fs: machine.fs }).snapshot()
  const history = snapshotHistory(machine.fs, dataPath, snapshot)
  await exportToSqlite(history, path, { settings: new Map([['orders', { retentionMs: 5 }]]) })
  await expect(exportToSqlite(history, path)).rejects.toThrow(InvalidArgumentError)
  const database = new Database(path, { readonly: true })
  const ask = (sql: string): readonly unknown[] => database.prepare(sql).all()
  const total = "SELECT sum(json_extract(value, '$.total')) AS total FROM records WHERE value <> ''"
  expect(ask(total)).toEqual([{ total: 21 }])
  expect(ask('SELECT offset, typeof(key) AS key, typeof(value) AS value FROM records')).toEqual([
    { offset: 0, key: 'text', value: 'text' },
    { offset: 1, key: 'text', value: 'text' },
    { offset: 2, key: 'text', value: 'null' },
    { offset: 3, key: 'blob', value: 'text' },
  ])
  expect(ask("SELECT headers FROM records WHERE key = 'o-1' AND offset = 0")).toEqual([
    {
      headers: '[{"key":"a","value":null},{"key":"a","base64":"/w=="},{"key":"b","value":"text"}]',
    },
  ])
  expect(ask("SELECT json_extract(settings, '$.retentionMs') AS ms FROM topics")).toEqual([
    { ms: 5 },
  ])
  database.close()
})
