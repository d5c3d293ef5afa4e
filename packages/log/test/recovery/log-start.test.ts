import { afterEach, describe, expect, test } from 'vitest'
import { logChannels } from '../../src/base/diagnostics.ts'
import { CorruptLogError } from '../../src/base/log-errors.ts'
import { openLogReadOnly } from '../../src/read/read-only-log.ts'
import { reindexLog } from '../../src/repair/reindex-log.ts'
import { openLog } from '../../src/single-log.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'
import {
  appendValues,
  bytesAt,
  createLog,
  eventsOf,
  fileOf,
  openDirectory,
  type Place,
  places,
  putBytes,
  readAll,
  removePlace,
  reopenLog,
  simulatedPlace,
  values,
} from '../log-fixture.ts'

const checkpoint = 'log-start-offset-checkpoint'
const marker = '.kafka_cleanshutdown'

function setStart(place: Place, offset: number): void {
  putBytes(place, checkpoint, Buffer.from(`0\n1\nt 0 ${offset}\n`))
}

/** Three segments of ten records, of which the first five were deleted. */
async function trimmed(place: Place): Promise<void> {
  const { directory, log } = await createLog(place)
  await appendValues(log, 30, 10)
  await log.deleteSegmentsBefore(5)
  await directory.close()
}

describe.each(places)('a raised log start offset on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  // A digit that was altered: within a segment, behind segments, behind the log's end.
  test.each([
    [7, true],
    [25, true],
    [85, true],
    [7, false],
    [25, false],
    [85, false],
  ])('of %d neither hides nor deletes a record, clean %s', async (altered, isClean) => {
    place = makePlace()
    await trimmed(place)
    setStart(place, altered)
    if (!isClean) await place.fs.remove(`${place.path}/${marker}`)
    await using reader = await openLogReadOnly(`${place.path}/t-0`, { fs: place.fs })
    expect(reader.logStartOffset).toBe(5)
    let opened: Awaited<ReturnType<typeof reopenLog>> | null = null
    const events = await eventsOf(logChannels.corruption, async () => {
      opened = await reopenLog(place)
    })
    expect(events).toMatchObject([{ log: 't-0', path: `${place.path}/${checkpoint}` }])
    const { directory, log } = opened as unknown as Awaited<ReturnType<typeof reopenLog>>
    expect(log.recoveryReport.rebuiltFiles).toContain(`${place.path}/${checkpoint}`)
    expect(log.logStartOffset).toBe(5)
    expect(await readAll(log)).toEqual(values(5, 30))
    await directory.close()
    expect(bytesAt(place, checkpoint).toString()).toBe('0\n1\nt 0 5\n')
    expect(bytesAt(place, 't-0/leader-epoch-checkpoint').toString()).toBe('0\n1\n0 5\n')
  })
})

describe('the log start offset', () => {
  test('that another log has by mistake does not hide its records', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 10)
    await directory.close()
    setStart(place, 9)
    const reopened = await reopenLog(place)
    expect(await readAll(reopened.log)).toEqual(values(0, 10))
    await reopened.directory.close()
  })

  test('of a log on its own is not believed either, nor where it is taken over', async () => {
    const fs = new SimulatedFileSystem()
    const log = await openLog('/data/t-0', { fs })
    await appendValues(log, 10)
    await log.close()
    fs.writeBytes(`/data/t-0/${checkpoint}`, Buffer.from('0\n1\nlog 0 9\n'))
    const place = simulatedPlace(fs)
    const reopened = await reopenLog(place)
    expect(await readAll(reopened.log)).toEqual(values(0, 10))
    await reopened.directory.close()
    expect(bytesAt(place, checkpoint).toString()).toBe('0\n1\nt 0 0\n')
  })

  test('survives reindexing, which makes its witness anew', async () => {
    const place = simulatedPlace()
    await trimmed(place)
    setStart(place, 25)
    await reindexLog('/data/t-0', { fs: place.fs })
    expect(bytesAt(place, 't-0/leader-epoch-checkpoint').toString()).toBe('0\n1\n0 5\n')
    const reopened = await reopenLog(place)
    expect(await readAll(reopened.log)).toEqual(values(5, 30))
    await reopened.directory.close()
  })

  test('behind the end of a log without epochs, which nothing proves, keeps it from opening', async () => {
    const place = simulatedPlace()
    await trimmed(place)
    setStart(place, 85)
    putBytes(place, 't-0/leader-epoch-checkpoint', Buffer.from('0\n0\n'))
    const directory = await openDirectory(place)
    expect(directory.failures.get('t-0')).toBeInstanceOf(CorruptLogError)
    expect(place.fs.stat(`/data/t-0/${fileOf(0)}`)).not.toBeNull()
    await directory.close()
  })
})
