import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { LogLockedError } from '../../src/base/log-errors.ts'
import { lockFile } from '../../src/storage/directory-lock.ts'
import { lockHolder } from '../../src/storage/lock-holder.ts'
import { makeTemporaryDirectory } from '../../src/testing/index.ts'

const directory = makeTemporaryDirectory()
afterAll(() => directory.remove())

const tells = process.platform === 'linux'

test('the holder of a lock is named where the system tells', async () => {
  const path = join(directory.path, '.lock')
  const lock = await lockFile(path)
  expect(lockHolder(path)).toEqual(tells ? { pid: process.pid, program: expect.any(String) } : null)
  lock?.release()
  expect(lockHolder(path)).toBeNull()
})

test('a file that nobody has locked, and one that is not there, have no holder', () => {
  const path = join(directory.path, 'free')
  expect(lockHolder(path)).toBeNull()
  writeFileSync(path, '')
  expect(lockHolder(path)).toBeNull()
})

test('the error says who holds the lock, and what to do', () => {
  const pid = process.pid
  expect(new LogLockedError('/data', { pid: pid + 1, program: 'java' }).message).toContain(
    `process ${pid + 1} (java) has it open for writing`,
  )
  expect(new LogLockedError('/data', { pid, program: null }).message).toContain('this process has')
  expect(new LogLockedError('/data').message).toContain('another process, or this one,')
  expect(new LogLockedError('/data').holder).toBeNull()
})
