import { retentionHoldFileName } from '@varve/backup'
import { LogNotFoundError } from '@varve/log'
import { replaceSmallFile } from '@varve/log/files'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { isRetentionHeld, readRestoreHold, releaseRetention } from '../../src/base/restore-hold.ts'
import { dataPath, newMachine, openOn, turns } from '../broker-fixture.ts'

const hourMs = 3_600_000
const path = `${dataPath}/${retentionHoldFileName}`

test('a restored directory loses nothing by age before it is released', async () => {
  const machine = newMachine()
  const warnings: unknown[] = []
  const ignore = (): void => undefined
  const logger = {
    ...{ debug: ignore, info: ignore, error: ignore },
    warn: (fields: object) => void warnings.push(fields),
  }
  {
    await using varve = await openOn(machine, { cleaning: false })
    await varve.createTopic('old', { retentionMs: hourMs, segmentBytes: 200 })
    for (let index = 0; index < 10; index++) {
      await varve.log('old', 0).append({ value: 'x'.repeat(50) })
    }
    const groups = await varve.groups()
    await groups.resetOffsets('billing', [{ topic: 'old', partition: 0, offset: 3 }])
  }
  const hold = { backupId: 'b-1', restoredMs: 17 }
  await replaceSmallFile(machine.fs, path, Buffer.from(JSON.stringify(hold)))
  machine.clock.advance(30 * 24 * hourMs)
  await using varve = await openOn(machine, { cleaning: false, logger })
  expect(warnings).toEqual([{ directory: dataPath, ...hold }])
  const groups = await varve.groups()
  await varve.cleaner.runOnce()
  machine.clock.advance(hourMs)
  await turns()
  expect(varve.log('old', 0).logStartOffset).toBe(0)
  expect(await groups.list()).toEqual(['billing'])
  expect(await varve.metrics({ processMetrics: false }).text()).toContain('varve_retention_held 1')
  expect(await releaseRetention(dataPath, machine)).toBe(true)
  expect(await releaseRetention(dataPath, machine)).toBe(false)
  await varve.cleaner.runOnce()
  expect(varve.log('old', 0).logStartOffset).toBeGreaterThan(0)
  machine.clock.advance(hourMs)
  await turns()
  expect(await groups.list()).toEqual([])
})

test('that the file is there counts, whatever is in it', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory(dataPath)
  expect(readRestoreHold(fs, dataPath)).toBeNull()
  await replaceSmallFile(fs, path, Buffer.from('{"backupId": 3'))
  expect(readRestoreHold(fs, dataPath)).toEqual({ backupId: null, restoredMs: null })
  expect(isRetentionHeld(fs, dataPath)).toBe(true)
  await replaceSmallFile(fs, path, Buffer.from('null'))
  expect(readRestoreHold(fs, dataPath)).toEqual({ backupId: null, restoredMs: null })
  await expect(releaseRetention('/nothing', { fs })).rejects.toThrow(LogNotFoundError)
})
