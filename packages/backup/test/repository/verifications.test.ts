import { randomBytes } from 'node:crypto'
import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { noteVerification, readVerifications } from '../../src/repository/verifications.ts'
import { MemoryTarget } from '../memory-target.ts'

const [one, two] = ['20261121T072125.460Z-0c1f4e13', '20261121T082125.460Z-aaaaaaaa'] as const

test('the latest note of each backup counts', async () => {
  const target = new MemoryTarget(new ManualClock())
  for (const [backupId, atMs, isSound] of [
    [one, 1000, true],
    [one, 20_000, false],
    [two, 3000, true],
  ] as const) {
    await noteVerification(target, null, { backupId, atMs, isSound })
  }
  const found = await readVerifications(target, null)
  expect([...found.values()]).toEqual([
    { backupId: one, atMs: 20_000, isSound: false },
    { backupId: two, atMs: 3000, isSound: true },
  ])
})

test('nobody without a key passes a backup off as verified', async () => {
  const target = new MemoryTarget(new ManualClock())
  const idKey = randomBytes(32)
  await noteVerification(target, randomBytes(32), { backupId: one, atMs: 1, isSound: true })
  await noteVerification(target, null, { backupId: one, atMs: 2, isSound: true })
  expect((await readVerifications(target, idKey)).size).toBe(0)
  await noteVerification(target, idKey, { backupId: one, atMs: 3, isSound: true })
  expect((await readVerifications(target, idKey)).get(one)?.atMs).toBe(3)
  // Nor by a note of another backup.
  const [key = '', file] = [...target.files].at(-1) ?? []
  await target.put(key.replace(one, two), file?.bytes ?? Buffer.alloc(0))
  expect((await readVerifications(target, idKey)).has(two)).toBe(false)
})

test('a damaged note counts for nothing', async () => {
  const target = new MemoryTarget(new ManualClock())
  await target.put(`verifications/${one}/0000000000000005`, Buffer.from('{"format":1,'))
  expect((await readVerifications(target, null)).size).toBe(0)
})
