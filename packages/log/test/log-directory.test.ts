import { afterEach, describe, expect, test } from 'vitest'
import {
  CorruptLogError,
  LogClosedError,
  LogExistsError,
  LogLockedError,
  LogNotFoundError,
  LogOfflineError,
} from '../src/base/log-errors.ts'
import { OffsetCheckpointFile } from '../src/format/offset-checkpoint.ts'
import { LogDirectory } from '../src/log-directory.ts'
import { ManualClock } from '../src/testing/index.ts'
import {
  appendValues,
  bytesAt,
  createLog,
  errorOf,
  fileOf,
  namesIn,
  openDirectory,
  type Place,
  places,
  putBytes,
  readAll,
  removePlace,
  reopenLog,
  simulatedPlace,
  values,
} from './log-fixture.ts'

const cleanMarker = '.kafka_cleanshutdown'

function has(place: Place, name: string): boolean {
  return place.fs.stat(`${place.path}/${name}`) !== null
}

describe.each(places)('a data directory on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test('is made with the directories above it, and holds logs by topic and partition', async () => {
    place = makePlace()
    const path = `${place.path}/deeper/still`
    await using directory = await LogDirectory.open(path, { fs: place.fs })
    const log = await directory.createLog('orders', 3)
    expect(log.directory).toBe(`${path}/orders-3`)
    expect([...directory.logs.keys()]).toEqual(['orders-3'])
    expect(directory.log('orders', 3)).toBe(log)
    expect(() => directory.log('orders', 4)).toThrow(LogNotFoundError)
  })

  test('closed and opened again, holds every record, and needs no recovery', async () => {
    place = makePlace()
    const first = await createLog(place)
    await appendValues(first.log, 25, 10)
    await first.directory.close()
    expect(has(place, cleanMarker)).toBe(true)
    const { directory, log } = await reopenLog(place)
    expect(has(place, cleanMarker)).toBe(false)
    expect(log.recoveryReport).toMatchObject({
      clean: true,
      recoveryPoint: 25,
      logEndOffset: 25,
      segments: 3,
      scannedSegments: 0,
      scannedBytes: 0,
      cut: null,
    })
    expect(await readAll(log)).toEqual(values(0, 25))
    await appendValues(log, 5)
    expect(await readAll(log)).toEqual(values(0, 30))
    await directory.close()
  })

  test('whose owner was killed is recovered, and holds what was written', async () => {
    place = makePlace()
    const first = await createLog(place, { acks: 'written' })
    await appendValues(first.log, 25, 10)
    const copy = place.killed()
    await first.directory.close()
    const { directory, log } = await reopenLog(copy)
    expect(log.recoveryReport).toMatchObject({ clean: false, logEndOffset: 25, cut: null })
    expect(await readAll(log)).toEqual(values(0, 25))
    await directory.close()
    removePlace(copy)
  })

  test('is open for writing once at a time', async () => {
    place = makePlace()
    const directory = await openDirectory(place)
    const error = await errorOf(openDirectory(place), LogLockedError)
    expect(error.path).toBe(place.path)
    expect(error.retriable).toBe(true)
    await directory.close()
    await (await openDirectory(place)).close()
  })

  test('a log that is deleted is gone, and its name can be used again', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 5)
    await readAll(log)
    await directory.cleanerCheckpoint.write(
      new Map([
        ['t-0', 1],
        ['u-0', 1],
      ]),
    )
    await directory.deleteLog('t', 0)
    // A log of that name that is made later is not clean because this one was.
    expect(directory.cleanerCheckpoint.read()).toEqual(new Map([['u-0', 1]]))
    expect(() => directory.log('t', 0)).toThrow(LogNotFoundError)
    expect([...place.fs.list(place.path)].filter((name) => name.startsWith('t-'))).toEqual([
      expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/),
    ])
    await errorOf(log.append({ value: 'late' }), LogClosedError)

    const again = await directory.createLog('t', 0)
    expect(again.logEndOffset).toBe(0)
    await appendValues(again, 7, 5)
    expect(await readAll(again)).toEqual(values(0, 7))
    await directory.close()
    expect([...place.fs.list(place.path)].filter((name) => name.endsWith('-delete'))).toEqual([])
    const reopened = await reopenLog(place)
    expect(await readAll(reopened.log)).toEqual(values(0, 7))
    await reopened.directory.close()
  })

  test('leaves no file open when it is closed', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 5)
    const reader = log.reader({ from: 0, follow: true, maxBytes: 1 })
    await reader.next()
    expect(directory.openFileCount).toBeGreaterThan(0)
    await directory.close()
    expect(directory.openFileCount).toBe(0)
    await errorOf(reader.nextBatches(), LogClosedError)
    expect(directory.openFileCount).toBe(0)
  })
})

describe('a data directory', () => {
  test('refuses to be opened where a file is', async () => {
    const place = simulatedPlace()
    place.fs.writeBytes('/data', Buffer.from('x'))
    const opening = openDirectory(place)
    await expect(opening).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT' })
  })

  test.each([
    [{ openFilesMax: 0 }],
    [{ openFilesMax: 1.5 }],
    [{ checkpointIntervalMs: 0 }],
    [{ log: { segmentBytes: 1 } }],
    [{ log: { nonsense: 1 } as never }],
  ])('refuses the option %o before it makes anything', async (options) => {
    const place = simulatedPlace()
    const opening = openDirectory(place, {}, options)
    await expect(opening).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT' })
    expect(place.fs.stat('/data')).toBeNull()
  })

  test('gives each log its own settings on top of the common ones', async () => {
    const place = simulatedPlace()
    const directory = await openDirectory(
      place,
      { acks: 'written', lingerMs: 0 },
      {
        logOptions: (topic, partition) => (topic === 'a' ? { segmentBytes: 1000 + partition } : {}),
      },
    )
    const [a, b] = [await directory.createLog('a', 5), await directory.createLog('b', 5)]
    expect(a.options).toMatchObject({ acks: 'written', segmentBytes: 1005 })
    expect(b.options).toMatchObject({ acks: 'written', segmentBytes: 2 ** 30 })
    await directory.close()
  })

  test('refuses a log that exists, names that Kafka would refuse, and bad topic ids', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 3)
    await errorOf(directory.createLog('t', 0), LogExistsError)
    for (const [topic, partition] of [
      ['a/b', 0],
      ['', 0],
      ['..', 0],
      ['t', -1],
      ['t', 0.5],
    ] as const) {
      await expect(directory.createLog(topic, partition)).rejects.toMatchObject({
        code: 'VARVE_INVALID_ARGUMENT',
      })
    }
    const badId = directory.createLog('u', 0, { topicId: 'x' })
    await expect(badId).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT' })
    expect(has(place, 'u-0')).toBe(false)
    expect(await readAll(log)).toEqual(values(0, 3))
    await directory.close()
  })

  test('writes partition.metadata before the first record', async () => {
    const place = simulatedPlace()
    const directory = await openDirectory(place)
    const topicId = 'AAAAAAAAAAAAAAAAAAAABw'
    await directory.createLog('t', 0, { topicId })
    expect(bytesAt(place, 't-0/partition.metadata').toString()).toBe(
      `version: 0\ntopic_id: ${topicId}`,
    )
    await directory.close()
  })

  test('opens with the logs that are whole when one is damaged, and leaves that as it is', async () => {
    const place = simulatedPlace()
    const first = await createLog(place)
    await appendValues(first.log, 10)
    await appendValues(await first.directory.createLog('u', 0), 10)
    await first.directory.close()
    place.fs.flipBit(`/data/t-0/${fileOf(0)}`, 8 * 100)
    // The clean shutdown's marker would keep the log from being read.
    await place.fs.remove(`/data/${cleanMarker}`)
    const before = bytesAt(place, `t-0/${fileOf(0)}`)

    const directory = await openDirectory(place)
    expect([...directory.logs.keys()]).toEqual(['u-0'])
    expect(directory.failures.get('t-0')).toBeInstanceOf(CorruptLogError)
    expect(() => directory.log('t', 0)).toThrow(CorruptLogError)
    expect(await readAll(directory.log('u', 0))).toEqual(values(0, 10))
    expect(bytesAt(place, `t-0/${fileOf(0)}`)).toEqual(before)
    await directory.close()
    // Not clean: there is one that was not opened.
    expect(has(place, cleanMarker)).toBe(false)
  })

  test('keeps the recovery point of a log that it could not open', async () => {
    const place = simulatedPlace()
    const first = await createLog(place)
    await appendValues(first.log, 10)
    await first.directory.close()
    place.fs.flipBit(`/data/t-0/${fileOf(0)}`, 8 * 100)
    await place.fs.remove(`/data/${cleanMarker}`)
    for (let times = 0; times < 2; times++) {
      const directory = await openDirectory(place)
      expect(directory.failures.get('t-0')).toBeInstanceOf(CorruptLogError)
      await directory.close()
    }
  })

  test('opens a log again once it has been mended', async () => {
    const place = simulatedPlace()
    const first = await createLog(place)
    await appendValues(first.log, 10)
    await first.directory.close()
    await place.fs.remove(`/data/${cleanMarker}`)
    place.fs.flipBit(`/data/t-0/${fileOf(0)}`, 8 * 100)
    const directory = await openDirectory(place)
    await errorOf(directory.reopenLog('t', 0), CorruptLogError)
    place.fs.flipBit(`/data/t-0/${fileOf(0)}`, 8 * 100)
    const log = await directory.reopenLog('t', 0)
    expect(directory.failures.size).toBe(0)
    expect(await readAll(log)).toEqual(values(0, 10))
    await directory.close()
    expect(has(place, cleanMarker)).toBe(true)
  })

  test('a log that went offline and was closed leaves no clean shutdown', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    place.fs.injectFault({ kind: 'EIO', isLasting: true })
    await errorOf(log.append({ value: 'lost' }), LogOfflineError)
    place.fs.clearFaults()
    await log.close().catch(() => undefined)
    await directory.close().catch(() => undefined)
    expect(has(place, cleanMarker)).toBe(false)
    const reopened = await reopenLog(place)
    expect(reopened.log.recoveryReport.clean).toBe(false)
    expect((await readAll(reopened.log)).slice(0, 5)).toEqual(values(0, 5))
    await reopened.directory.close()
  })

  test('a log that was closed by itself is found clean by the next opening', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    await log.close()
    expect(directory.logs.size).toBe(0)
    await directory.close()
    const reopened = await reopenLog(place)
    expect(reopened.log.recoveryReport).toMatchObject({ clean: true, recoveryPoint: 5 })
    await reopened.directory.close()
  })

  test('a log can be made anew after a deletion at any of whose moments the process died', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    await directory.checkpoint()
    const start = place.fs.operations
    await directory.deleteLog('t', 0)
    for (let moment = start; moment <= place.fs.operations; moment++) {
      const left = simulatedPlace(place.fs.killState(moment))
      const opened = await openDirectory(left)
      expect(opened.failures.size).toBe(0)
      const found = opened.logs.get('t-0')
      if (found === undefined) {
        const again = await opened.createLog('t', 0)
        await appendValues(again, 2)
        expect(await readAll(again)).toEqual(values(0, 2))
        // And once more killed, before any checkpoint is written.
        const later = simulatedPlace(left.fs.fork())
        const last = await reopenLog(later)
        expect(await readAll(last.log)).toEqual(values(0, 2))
        await last.directory.close()
      } else {
        expect(await readAll(found)).toEqual(values(0, 5))
      }
      await opened.close()
    }
  })

  test('leaves directories of other names, and files, alone', async () => {
    const place = simulatedPlace()
    await (await createLog(place)).directory.close()
    place.fs.writeBytes('/data/notes.txt', Buffer.from('mine'))
    place.fs.writeBytes('/data/plain/file', Buffer.from('mine'))
    place.fs.writeBytes('/data/t-1.0123-future/file', Buffer.from('mine'))
    place.fs.writeBytes('/data/u-0', Buffer.from('a file of this name'))
    const directory = await openDirectory(place)
    expect([...directory.logs.keys()]).toEqual(['t-0'])
    expect(directory.failures.size).toBe(0)
    await directory.close()
    expect(bytesAt(place, 't-1.0123-future/file').toString()).toBe('mine')
    expect(bytesAt(place, 'plain/file').toString()).toBe('mine')
  })

  test('writes recovery points and high watermarks every now and then', async () => {
    const place = simulatedPlace()
    const clock = new ManualClock()
    const { directory, log } = await createLog(place, {}, { clock, checkpointIntervalMs: 500 })
    await appendValues(log, 5)
    const read = (name: string) =>
      new OffsetCheckpointFile(place.fs, `/data/${name}`).readOne('t-0')
    expect(read('recovery-point-offset-checkpoint')).toBeNull()
    for (const count of [5, 10]) {
      clock.advance(500)
      await expect.poll(() => read('replication-offset-checkpoint')).toBe(count)
      expect(read('recovery-point-offset-checkpoint')).toBe(count)
      await appendValues(log, 5)
    }
    await directory.close()
    expect(read('recovery-point-offset-checkpoint')).toBe(15)
    expect(clock.pendingTimers).toBe(0)
  })

  test.each([
    'recovery-point-offset-checkpoint',
    'log-start-offset-checkpoint',
    'replication-offset-checkpoint',
  ])('opens with every record when %s cannot be read', async (name) => {
    for (const bytes of [
      Buffer.from('nonsense'),
      Buffer.alloc(0),
      Buffer.alloc(65 * 2 ** 20, 0x30),
    ]) {
      const place = simulatedPlace()
      const first = await createLog(place)
      await appendValues(first.log, 5)
      await first.directory.close()
      putBytes(place, name, bytes)
      const { directory, log } = await reopenLog(place)
      expect(await readAll(log)).toEqual(values(0, 5))
      await directory.close()
    }
  })

  test('closes once, and refuses to make logs afterwards', async () => {
    const place = simulatedPlace()
    const { directory } = await createLog(place)
    expect(directory.close()).toBe(directory.close())
    await directory.close()
    await errorOf(directory.createLog('u', 0), LogClosedError)
    await errorOf(directory.deleteLog('t', 0), LogClosedError)
    expect(place.fs.openFiles()).toEqual([])
    expect(namesIn(place)).toContain(fileOf(0))
  })
})
