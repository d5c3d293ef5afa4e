import { CorruptBatchError } from '@varve/record'
import { expect, test } from 'vitest'
import { checkPlace } from '../../src/segments/segment-recovery.ts'
import type { SimulatedFileSystem } from '../../src/testing/index.ts'
import {
  appendValues,
  batchOf,
  bytesAt,
  createLog,
  fileOf,
  openDirectory,
  type Place,
  putBytes,
  readAll,
  reopenLog,
  simulatedPlace,
  values,
} from '../log-fixture.ts'

test('a batch has to follow the one before, and to end before the next segment', () => {
  const batch = batchOf([{ value: 'a' }, { value: 'b' }], { baseOffset: 8 })
  const segment = { baseOffset: 5, nextOffset: 8 }
  expect(() => checkPlace(batch, segment, 10)).not.toThrow()
  expect(() => checkPlace(batch, segment, 9)).toThrow(CorruptBatchError)
  expect(() => checkPlace(batch, { baseOffset: 5, nextOffset: 9 }, null)).toThrow(CorruptBatchError)
})

test('a log whose segments overlap ends where they begin to, and opens', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place)
  await appendValues(log, 6, 3)
  const crashed = place.killed()
  // Neither bound nor digest says that this was durable: as after a crash long ago.
  for (const name of ['t-0/progress', `t-0/${fileOf(0, 'digest')}`]) {
    if (crashed.fs.stat(`${crashed.path}/${name}`) !== null) {
      await crashed.fs.remove(`${crashed.path}/${name}`)
    }
  }
  const bytes = bytesAt(crashed, `t-0/${fileOf(0)}`)
  const last = bytes.length - bytes.length / 3
  bytes.writeInt32BE(5, last + 4)
  putBytes(crashed, `t-0/${fileOf(0)}`, bytes)
  const reopened = await reopenLog(crashed)
  expect(await readAll(reopened.log)).toEqual(values(0, 2))
  expect(reopened.log.recoveryReport.cut?.validBatchesFollowed).toBe(true)
  await reopened.directory.close()
})

/** A log of several MiB in one segment, of which nothing is known to be flushed. */
async function largeKilledLog(): Promise<Place<SimulatedFileSystem>> {
  const place = simulatedPlace()
  const { log } = await createLog(place, { acks: 'written' })
  for (let index = 0; index < 50; index++) {
    await log.append({ key: `k${index}`, value: Buffer.alloc(100_000, `${index} `) })
  }
  const killed = place.killed()
  putBytes(killed, 't-0/progress', Buffer.alloc(0))
  return killed
}

test('what was recovered outlives the next power cut, however much it was', async () => {
  const killed = await largeKilledLog()
  const before = bytesAt(killed, `t-0/${fileOf(0)}`)
  expect(before.length).toBeGreaterThan(4_000_000)
  const { log } = await reopenLog(killed)
  expect(log.recoveryReport).toMatchObject({ cut: null, scannedBytes: before.length })
  const { fs, path } = killed
  const lost = simulatedPlace(fs.crashState(fs.operations, 'none'))
  expect(bytesAt({ ...lost, path }, `t-0/${fileOf(0)}`).equals(before)).toBe(true)
})

test('a log is not opened on what could not be made durable, and is whole afterwards', async () => {
  const killed = await largeKilledLog()
  const before = bytesAt(killed, `t-0/${fileOf(0)}`)
  let failures = 0
  for (let after = 0; after < 12; after++) {
    const attempt = simulatedPlace(killed.fs.fork())
    attempt.fs.injectFault({ kind: 'EIO', after })
    const directory = await openDirectory(attempt).catch(() => null)
    const isOpen = directory?.logs.has('t-0') ?? false
    if (isOpen) break
    failures += 1
    await directory?.close().catch(() => undefined)
    const again = await reopenLog(simulatedPlace(attempt.fs.fork()))
    expect(again.log.logEndOffset).toBe(50)
    expect(bytesAt(attempt, `t-0/${fileOf(0)}`).equals(before)).toBe(true)
  }
  expect(failures).toBeGreaterThan(3)
})
