import { renameSync } from 'node:fs'
import { DirectorySource } from '@varve/backup'
import { LogDirectory, nodeFileSystem } from '@varve/log'
import { beforeEach, describe, expect, test } from 'vitest'
import { finishRestore } from '../../src/backup/unfinished-restore.ts'
import { readVarve } from '../../src/reading/varve-reader.ts'
import { type Backed, backedUp, open, restore, send, values } from './restore-fixture.ts'

const unfinished = { code: 'VARVE_UNFINISHED_RESTORE' }
let backed: Backed

/** `orders` is taken back to its 10 records; `users`, with 7 by now, stands. */
beforeEach(async () => {
  backed = await backedUp()
  await using varve = await open(backed.data)
  await send(varve, 'orders', 10, 14)
  await send(varve, 'users', 5, 7)
  await varve.close()
  const select = (topic: string): boolean => topic === 'orders'
  await restore(backed, { to: backed.data, isInPlace: true, select })
})

/** As a crash leaves it: between the two renames, or before what stands has moved over. */
const crashes: ReadonlyArray<readonly [string, (data: string) => void]> = [
  [
    'between its renames',
    (data) => {
      renameSync(`${data}/users-0`, `${data}.before-restore/users-0`)
      renameSync(data, `${data}.restoring`)
    },
  ],
  [
    'before everything has moved over',
    (data) => renameSync(`${data}/users-0`, `${data}.before-restore/users-0`),
  ],
]

describe.each(crashes)('a restore that was interrupted %s', (_when, crash) => {
  test('is completed by who opens the data directory', async () => {
    crash(backed.data)
    await using varve = await open(backed.data)
    expect(await values(varve, 'orders')).toHaveLength(10)
    expect(await values(varve, 'users')).toHaveLength(7)
    expect([...(await varve.listTopics())].sort()).toEqual(['orders', 'users'])
  })

  test('keeps others from taking what is there for all of it', async () => {
    crash(backed.data)
    await expect(LogDirectory.open(backed.data)).rejects.toMatchObject(unfinished)
    await expect(readVarve(backed.data)).rejects.toMatchObject(unfinished)
    await expect(new DirectorySource(backed.data).snapshot()).rejects.toMatchObject(unfinished)
  })
})

test('where nothing is unfinished nothing is locked or changed, whatever the path', async () => {
  await using varve = await open(backed.data)
  for (const path of [backed.data, `${backed.data}/`, `/nowhere/${'x'.repeat(250)}`]) {
    await finishRestore(nodeFileSystem, path)
  }
  expect(await values(varve, 'orders')).toHaveLength(10)
})
