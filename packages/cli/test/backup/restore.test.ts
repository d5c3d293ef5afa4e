import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { pointOf, renamesOf, selectionOf, timeOf } from '../../src/backup/restore-wishes.ts'
import { hashTree, run } from '../captured-io.ts'
import { BackupScene, numbers, ran } from './backup-scene.ts'

describe('varve restore', () => {
  const scene = new BackupScene()

  beforeEach(async () => {
    await ran('backup', 'init', scene.at('backups'))
    await ran('backup', 'run', scene.at('data'), scene.at('backups'))
  })

  test('completes one that was interrupted as it took its place, when told to', async () => {
    const data = scene.at('data')
    await ran('restore', scene.at('backups'), '--to', data, '--in-place')
    renameSync(data, `${data}.restoring`)
    for (const argv of [
      ['verify', data],
      ['inspect', data],
      ['produce', 'orders', '--data', data],
    ]) {
      const { code, err } = await run(...argv)
      expect(code).toBe(3)
      expect(err).toContain('varve restore --finish --to')
    }
    expect(await ran('restore', '--finish', '--to', data)).toMatchObject({
      out: expect.stringContaining('is restored'),
    })
    await ran('verify', data)
    expect(await ran('restore', '--finish', '--to', data)).toMatchObject({
      out: expect.stringContaining('nothing'),
    })
    expect((await run('restore', '--finish', '--undo', '--to', data)).code).toBe(2)
  })

  test('goes to an offset in place, keeps what was there, and is undone', async () => {
    await scene.produce(101, 120)
    const before = hashTree(join(scene.at('data'), 'orders-0'))
    const place = ['restore', scene.at('backups'), '--to', scene.at('data')]
    expect((await run(...place)).code).toBe(3)
    const { out } = await ran(...place, '--in-place', '--offset', 'orders-0=42')
    expect(out).toContain('--undo puts it back')
    expect(await scene.values('data')).toEqual(numbers(42))
    await ran('restore', '--undo', '--to', scene.at('data'))
    expect(hashTree(join(scene.at('data'), 'orders-0'))).toEqual(before)
  })

  test('only says what it would do, renames, chooses, and lets retention be released', async () => {
    const dry = await ran('restore', scene.at('backups'), '--to', scene.at('copy'), '--dry-run')
    expect(dry.out).toContain('nothing was changed')
    expect(existsSync(scene.at('copy'))).toBe(false)
    await ran(
      'restore',
      scene.at('backups'),
      '--to',
      scene.at('copy'),
      '--rename',
      'orders=old',
      '--topic',
      'orders',
    )
    expect(readdirSync(scene.at('copy'))).toContain('old-0')
    expect((await ran('retention', 'release', '--data', scene.at('copy'))).out).toContain('goes on')
    expect((await ran('retention', 'release', '--data', scene.at('copy'))).out).toContain(
      'was not held',
    )
    const none = await run(
      'restore',
      scene.at('backups'),
      '--to',
      scene.at('none'),
      '--topic',
      'nothing',
    )
    expect([none.code, existsSync(scene.at('none'))]).toEqual([3, false])
  })

  test('a moment before the first record leaves an empty log', async () => {
    await ran(
      'restore',
      scene.at('backups'),
      '--to',
      scene.at('empty'),
      '--at',
      '2001-01-01T00:00:00Z',
    )
    expect(await scene.values('empty')).toEqual([])
    rmSync(scene.at('empty'), { recursive: true })
  })

  test.each([
    [['--offset', 'orders=1']],
    [['--at', 'soon']],
    [['--rename', 'a']],
    [['--at', '1', '--stable']],
    [['--undo', '--in-place']],
  ])('%j is a usage error', async (argv) => {
    const { code } = await run('restore', scene.at('backups'), '--to', scene.at('x'), ...argv)
    expect(code).toBe(2)
  })
})

test('wishes are read as they are written', () => {
  const none = { offsets: [], stable: false, topics: [], renames: [] }
  expect(pointOf(none)).toEqual({ kind: 'end' })
  expect(pointOf({ ...none, stable: true })).toEqual({ kind: 'stable' })
  expect(timeOf('1700000000000')).toBe(1_700_000_000_000)
  expect(timeOf('2026-11-21T06:00:00Z')).toBe(Date.UTC(2026, 10, 21, 6))
  expect(pointOf({ ...none, offsets: ['a-b-0=7'] })).toEqual({
    kind: 'offsets',
    offsets: new Map([['a-b-0', 7]]),
  })
  expect(selectionOf(none)).toBeNull()
  const selected = selectionOf({ ...none, topics: ['a', 'b:1'] })
  expect([selected?.('a', 5), selected?.('b', 1), selected?.('b', 0)]).toEqual([true, true, false])
  expect(renamesOf({ ...none, renames: ['a=b'] })).toEqual(new Map([['a', 'b']]))
})
