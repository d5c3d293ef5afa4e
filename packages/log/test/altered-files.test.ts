import { expect, test } from 'vitest'
import { InvalidBatchError } from '../src/base/log-errors.ts'
import {
  appendValues,
  bytesAt,
  createLog,
  errorOf,
  fileOf,
  putBytes,
  readAll,
  reopenLog,
  simulatedPlace,
  values,
} from './log-fixture.ts'

// Found by fuzzing whole directories: files that are in order by themselves, and say what cannot
// be.

test('a log whose start was set to the last offset there is takes no records, and closes', async () => {
  const place = simulatedPlace()
  const { directory } = await createLog(place)
  await directory.close()
  const checkpoint = `0\n1\nt 0 ${Number.MAX_SAFE_INTEGER}\n`
  putBytes(place, 'log-start-offset-checkpoint', Buffer.from(checkpoint))
  const reopened = await reopenLog(place)
  await errorOf(reopened.log.append({ value: 'v' }), InvalidBatchError)
  await reopened.directory.close()
})

test('a time index that points behind its segment is not gone on with', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place)
  await appendValues(log, 3)
  await directory.close()
  const name = `t-0/${fileOf(0, 'timeindex')}`
  const bytes = bytesAt(place, name)
  bytes.writeInt32BE(1000, bytes.length - 4)
  putBytes(place, name, bytes)
  const reopened = await reopenLog(place)
  await appendValues(reopened.log, 2)
  await reopened.log.roll()
  expect(await readAll(reopened.log)).toEqual(values(0, 5))
  await reopened.directory.close()
})
