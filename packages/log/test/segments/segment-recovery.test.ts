import { CorruptBatchError } from '@varve/record'
import { expect, test } from 'vitest'
import { checkPlace } from '../../src/segments/segment-recovery.ts'
import {
  appendValues,
  batchOf,
  bytesAt,
  createLog,
  fileOf,
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
