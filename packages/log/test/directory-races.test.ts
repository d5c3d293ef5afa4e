import { describe, expect, test } from 'vitest'
import { LogClosedError, LogExistsError, LogNotFoundError } from '../src/base/log-errors.ts'
import { StorageError } from '../src/storage/storage-error.ts'
import {
  appendValues,
  createLog,
  errorOf,
  openDirectory,
  readAll,
  reopenLog,
  simulatedPlace,
  values,
} from './log-fixture.ts'

describe('calls to a data directory that run at the same time', () => {
  test('a log is opened again once for all who ask, one after the other', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 2)
    const [first, second] = await Promise.all([
      directory.reopenLog('t', 0),
      directory.reopenLog('t', 0),
    ])
    // One writer at a time: the first was closed before the second was opened.
    await errorOf(first.append({ value: 'lost' }), LogClosedError)
    await second.append({ value: 'v2' })
    expect(directory.log('t', 0)).toBe(second)
    expect(await readAll(second)).toEqual(values(0, 3))
    await directory.close()
  })

  test('a log that is being made is closed with the directory', async () => {
    const place = simulatedPlace()
    const directory = await openDirectory(place)
    const making = directory.createLog('t', 0)
    await directory.close()
    const log = await making
    await errorOf(log.append({ value: 'lost' }), LogClosedError)
    const reopened = await reopenLog(place)
    expect(reopened.log.recoveryReport.clean).toBe(true)
    await reopened.directory.close()
  })

  test('a log that is being opened is deleted when it is open', async () => {
    const place = simulatedPlace()
    const { directory } = await createLog(place)
    const [reopened] = await Promise.all([
      directory.reopenLog('t', 0),
      directory.deleteLog('t', 0),
      errorOf(directory.deleteLog('t', 0), LogNotFoundError),
    ])
    await errorOf(reopened.append({ value: 'lost' }), LogClosedError)
    expect([...directory.logs, ...directory.failures]).toEqual([])
    const made = [directory.createLog('t', 0), errorOf(directory.createLog('t', 0), LogExistsError)]
    await Promise.all(made)
    await directory.close()
  })

  test('no checkpoint is written into a directory that is closed', async () => {
    const place = simulatedPlace()
    const { directory } = await createLog(place)
    await directory.close()
    const before = place.fs.operations
    await errorOf(directory.checkpoint(), LogClosedError)
    expect(place.fs.operations).toBe(before)
  })
})

test('a log that could not be made wholly stands in the failures, and can be opened', async () => {
  for (let after = 0; ; after += 1) {
    const place = simulatedPlace()
    const directory = await openDirectory(place)
    place.fs.injectFault({ kind: 'ENOSPC', after })
    const made = await directory.createLog('t', 0).catch((error: unknown) => error)
    const isHit = place.fs.faultHits > 0
    place.fs.clearFaults()
    if (isHit) {
      expect(made).toBeInstanceOf(StorageError)
      const isThere = place.fs.stat('/data/t-0') !== null
      expect(directory.failures.has('t-0')).toBe(isThere)
      const log = await (isThere ? directory.reopenLog('t', 0) : directory.createLog('t', 0))
      await appendValues(log, 1)
    }
    await directory.close()
    if (!isHit) break
  }
})
