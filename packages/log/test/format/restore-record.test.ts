import { beforeEach, describe, expect, test } from 'vitest'
import { UnfinishedRestoreError } from '../../src/base/log-errors.ts'
import { isRestoreUnfinished, restoreRecordFileName } from '../../src/format/restore-record.ts'
import { LogDirectory } from '../../src/log-directory.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

const path = '/data'
let fs: SimulatedFileSystem

beforeEach(() => {
  fs = new SimulatedFileSystem()
})

function write(name: string, text: string): void {
  const file = fs.open(name, 'create')
  file.writeSync(Buffer.from(text), 0)
  file.close()
}

const record = (kept: readonly string[]): string => JSON.stringify({ kind: 'restore', kept })

describe('a restore that was interrupted as it took its place', () => {
  test('is known by the one that waits, and nothing is made in its way', async () => {
    fs.makeDirectories(`${path}.restoring`)
    expect(isRestoreUnfinished(fs, path)).toBe(false)
    write(`${path}.restoring/${restoreRecordFileName}`, record([]))
    expect(isRestoreUnfinished(fs, `${path}/`)).toBe(true)
    await expect(LogDirectory.open(path, { fs })).rejects.toThrow(UnfinishedRestoreError)
    expect(fs.stat(path)).toBeNull()
  })

  test('is known by partitions that have not moved over yet', async () => {
    fs.makeDirectories(path)
    fs.makeDirectories(`${path}.before-restore/users-0`)
    write(`${path}/${restoreRecordFileName}`, record(['users-0']))
    await expect(LogDirectory.open(path, { fs })).rejects.toMatchObject({
      code: 'VARVE_UNFINISHED_RESTORE',
      path,
    })
    fs.rename(`${path}.before-restore/users-0`, `${path}/users-0`)
    expect(isRestoreUnfinished(fs, path)).toBe(false)
  })

  test('is assumed where what belongs to it cannot be read, while there may be some', async () => {
    fs.makeDirectories(path)
    write(`${path}/${restoreRecordFileName}`, '{"kept": ["../../etc"]}')
    expect(isRestoreUnfinished(fs, path)).toBe(false)
    fs.makeDirectories(`${path}.before-restore`)
    expect(isRestoreUnfinished(fs, path)).toBe(true)
  })

  test('is not one that has been completed, and none is where files have such names', async () => {
    fs.makeDirectories(path)
    fs.makeDirectories(`${path}.before-restore`)
    write(`${path}/${restoreRecordFileName}`, record(['gone-0']))
    expect(isRestoreUnfinished(fs, path)).toBe(false)
    write('/other.restoring', 'a file')
    expect(isRestoreUnfinished(fs, '/other')).toBe(false)
    await (await LogDirectory.open('/other', { fs })).close()
  })
})
