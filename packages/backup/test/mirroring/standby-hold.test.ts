import { replaceSmallFile } from '@varve/log/files'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { isVacant, readStandbyHold, writeStandbyHold } from '../../src/mirroring/standby-hold.ts'

const backupId = '20261121T072125.460Z-0c1f4e13'
const path = '/standby/varve-retention-hold'

async function heldBy(repositoryId: string): Promise<SimulatedFileSystem> {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/standby')
  const scene = { fs, clock: new ManualClock(), staging: '/standby', replaced: '/standby' }
  const nothing = { partitions: [], stored: [], kept: [] }
  await writeStandbyHold({ ...scene, ...nothing }, backupId, repositoryId)
  return fs
}

test('a directory is known as the standby of its repository, and of no other', async () => {
  const fs = await heldBy('aa')
  expect(readStandbyHold(fs, '/standby', 'aa')).toBe(backupId)
  expect(() => readStandbyHold(fs, '/standby', 'bb')).toThrow('of another repository')
  await fs.remove(path)
  expect(isVacant(fs, '/standby')).toBe(true)
  expect(readStandbyHold(fs, '/standby', 'aa')).toBe(null)
})

test('what says nothing, or something else, is no standby', async () => {
  const fs = await heldBy('aa')
  for (const text of ['', 'held', '{}', `{"backupId":"${backupId}"}`, '{"standbyOf":"aa"}']) {
    await replaceSmallFile(fs, path, Buffer.from(text))
    expect(() => readStandbyHold(fs, '/standby', 'aa'), text).toThrow('it is no standby')
  }
})
