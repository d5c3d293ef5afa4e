import { readdirSync, readFileSync } from 'node:fs'
import type { RestoreScene } from '@varve/backup'
import { LogDirectory, nodeFileSystem, openLogReadOnly, systemClock } from '@varve/log'
import { expect, test } from 'vitest'
import { editStagedLogs } from '../../src/backup/staged-logs.ts'
import { newPath } from './restore-fixture.ts'

/** Directory with a log `t-0` of three records in two segments. */
async function makeLog(path: string): Promise<void> {
  await using directory = await LogDirectory.open(path)
  const log = await directory.createLog('t', 0)
  await log.append({ value: 'one' })
  await log.roll()
  await log.append([{ value: 'two' }, { value: 'three' }])
}

function sceneOf(staging: string, replaced: string, restored: string[], kept: string[]) {
  const partitions = restored.map((name) => ({ name })) as unknown as RestoreScene['partitions']
  const fs = nodeFileSystem
  return { fs, clock: systemClock, staging, replaced, partitions, stored: [], kept }
}

const contents = (path: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path).map((name) => [name, readFileSync(`${path}/${name}`, 'base64')]),
  )

async function endOf(path: string): Promise<number> {
  await using log = await openLogReadOnly(path)
  return log.highWatermark
}

test('a log that would be kept is changed in a copy, what is there stays', async () => {
  const [staging, replaced] = [newPath('staging'), newPath('data')]
  await makeLog(replaced)
  nodeFileSystem.makeDirectory(staging)
  const before = contents(`${replaced}/t-0`)
  const scene = sceneOf(staging, replaced, [], ['t-0'])
  const unusable = await editStagedLogs(scene, 't', async ({ log }) => {
    await log.append({ value: 'four' })
    return true
  })
  expect(unusable).toEqual([])
  expect(contents(`${replaced}/t-0`)).toEqual(before)
  expect(await endOf(`${staging}/t-0`)).toBe(4)
})

test('a copy that was not changed is thrown away', async () => {
  const [staging, replaced] = [newPath('staging'), newPath('data')]
  await makeLog(replaced)
  nodeFileSystem.makeDirectory(staging)
  await editStagedLogs(sceneOf(staging, replaced, [], ['t-0']), 't', async () => false)
  expect(readdirSync(staging).filter((name) => !name.includes('checkpoint'))).toEqual([])
})

test('a log that was restored is changed where it is, and one that is damaged told of', async () => {
  const [staging, replaced] = [newPath('staging'), newPath('data')]
  await makeLog(staging)
  const scene = sceneOf(staging, replaced, ['t-0'], [])
  await editStagedLogs(scene, 't', async ({ log }) => {
    await log.append({ value: 'four' })
    return true
  })
  expect(await endOf(`${staging}/t-0`)).toBe(4)
  const path = `${staging}/t-0/00000000000000000000.log`
  const file = nodeFileSystem.open(path, 'write')
  file.truncate(7)
  file.close()
  const unusable = await editStagedLogs(scene, 't', async ({ log }) => {
    for await (const _ of log.reader({ from: 0 })) await log.append({ value: 'never' })
    return true
  })
  expect(unusable.map(({ name }) => name)).toEqual(['t-0'])
  expect(readdirSync(`${staging}/t-0`)).toContain('00000000000000000000.log')
})
