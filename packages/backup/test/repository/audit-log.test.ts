import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import { AuditLog } from '../../src/repository/audit-log.ts'
import { MemoryTarget } from '../memory-target.ts'

const entry = (details: string) => ({ atMs: 1, action: 'prune', details, actor: null })

async function threeEntries(idKey: Buffer | null): Promise<MemoryTarget> {
  const target = new MemoryTarget(new ManualClock())
  const audit = new AuditLog(target, idKey)
  for (const details of ['one', 'two', 'three']) await audit.add(entry(details))
  return target
}

test('entries are read in the order in which they were added', async () => {
  const entries = await new AuditLog(await threeEntries(null), null).read()
  expect(entries.map(({ sequence, details }) => [sequence, details])).toEqual([
    [1, 'one'],
    [2, 'two'],
    [3, 'three'],
  ])
})

test('entries that are added at the same moment all get a place', async () => {
  const target = new MemoryTarget(new ManualClock())
  const names = Array.from({ length: 20 }, (_, index) => `entry ${index}`)
  await Promise.all(names.map((name) => new AuditLog(target, null).add(entry(name))))
  const entries = await new AuditLog(target, null).read()
  expect(new Set(entries.map(({ details }) => details))).toEqual(new Set(names))
})

test('an entry that was changed, taken out or exchanged shows', async () => {
  const edit = async (change: (target: MemoryTarget) => void): Promise<unknown> => {
    const target = await threeEntries(null)
    change(target)
    return new AuditLog(target, null).read()
  }
  const second = 'audit/0000000002.json'
  const bytesOf = (target: MemoryTarget, key: string): Buffer =>
    target.files.get(key)?.bytes ?? Buffer.alloc(0)
  const replace = (target: MemoryTarget, key: string, bytes: Buffer): void => {
    target.files.set(key, { bytes, modifiedMs: 0 })
  }
  await expect(
    edit((target) => {
      const text = bytesOf(target, second).toString().replace('two', 'ten')
      replace(target, second, Buffer.from(text))
    }),
  ).rejects.toThrow(CorruptRepositoryError)
  await expect(edit((target) => target.files.delete(second))).rejects.toThrow('should be here')
  await expect(
    edit((target) => replace(target, second, bytesOf(target, 'audit/0000000001.json'))),
  ).rejects.toThrow(CorruptRepositoryError)
})

test('the last entry, made up by somebody without the key, shows to those who have it', async () => {
  const idKey = Buffer.alloc(32, 7)
  const target = await threeEntries(idKey)
  await new AuditLog(target, Buffer.alloc(32, 8)).add(entry('four'))
  await expect(new AuditLog(target, idKey).read()).rejects.toThrow('with a key')
  expect(await new AuditLog(target, null).read()).toHaveLength(4)
})
