import { InvalidArgumentError } from '@varve/record'
import { afterEach, describe, expect, test } from 'vitest'
import { CorruptLogError, LogLockedError, LogOfflineError } from '../src/base/log-errors.ts'
import { LogDirectory } from '../src/log-directory.ts'
import { openLogReadOnly } from '../src/read/read-only-log.ts'
import { type OpenLogOptions, openLog } from '../src/single-log.ts'
import { ManualClock } from '../src/testing/index.ts'
import {
  appendValues,
  bytesAt,
  errorOf,
  fileOf,
  namesIn,
  openDirectory,
  type Place,
  places,
  putBytes,
  readAll,
  removePlace,
  simulatedPlace,
  values,
} from './log-fixture.ts'

const own = ['.kafka_cleanshutdown', '.lock', 'recovery-point-offset-checkpoint']

function open(place: Place, path = place.path, options: OpenLogOptions = {}) {
  return openLog(path, { fs: place.fs, clock: new ManualClock(), ...options })
}

describe.each(places)('a log on its own on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test('is made with the directories above it, and holds its records over a clean restart', async () => {
    place = makePlace()
    const path = `${place.path}/here/events`
    const log = await open(place, path)
    expect(log.name).toBe('events')
    await appendValues(log, 25, 10)
    await log.close()
    expect(namesIn(place, 'here/events')).toEqual(expect.arrayContaining(own))
    const again = await open(place, `${path}/`)
    expect(again.recoveryReport).toMatchObject({
      clean: true,
      recoveryPoint: 25,
      scannedBytes: 0,
      scannedSegments: 0,
    })
    expect(namesIn(place, 'here/events')).not.toContain(own[0])
    expect(await readAll(again)).toEqual(values(0, 25))
    await again.close()
  })

  test('writes checkpoints that cannot be read anew', async () => {
    place = makePlace()
    const log = await open(place)
    await appendValues(log, 10, 5)
    await log.close()
    for (const name of ['recovery-point-offset-checkpoint', 'log-start-offset-checkpoint']) {
      putBytes(place, name, Buffer.from('garbage'))
    }
    const again = await open(place)
    await again.deleteSegmentsBefore(7)
    await again.close()
    expect(bytesAt(place, 'recovery-point-offset-checkpoint').toString()).toBe('0\n1\nlog 0 10\n')
    expect(bytesAt(place, 'log-start-offset-checkpoint').toString()).toBe('0\n1\nlog 0 7\n')
  })

  test('is recovered after its process was killed', async () => {
    place = makePlace()
    const log = await open(place, place.path, { log: { acks: 'written' } })
    await appendValues(log, 25, 10)
    const copy = place.killed()
    await log.close()
    const again = await open(copy)
    expect(again.recoveryReport).toMatchObject({ clean: false, logEndOffset: 25, cut: null })
    expect(await readAll(again)).toEqual(values(0, 25))
    await again.close()
    removePlace(copy)
  })

  test('keeps its log start offset, and moves with its directory', async () => {
    place = makePlace()
    const path = `${place.path}/a`
    const log = await open(place, path)
    await appendValues(log, 30, 10)
    await log.deleteSegmentsBefore(15)
    await log.close()
    place.fs.rename(path, `${place.path}/b`)
    const again = await open(place, `${place.path}/b`)
    expect(again.logStartOffset).toBe(15)
    expect(await readAll(again)).toEqual(values(15, 30))
    await again.close()
    const reader = await openLogReadOnly(`${place.path}/b`, { fs: place.fs })
    expect(await readAll(reader)).toEqual(values(15, 30))
    await reader.close()
  })

  test('is open for writing once at a time', async () => {
    place = makePlace()
    const log = await open(place)
    await errorOf(open(place), LogLockedError)
    await log.close()
    await (await open(place)).close()
  })
})

describe('a log on its own', () => {
  test('is refused within a data directory, and a data directory as one', async () => {
    const place = simulatedPlace()
    const directory = await openDirectory(place)
    await directory.createLog('t', 0)
    await errorOf(open(place, '/data/t-0'), InvalidArgumentError)
    await errorOf(open(place, '/data/new-0'), InvalidArgumentError)
    await directory.close()
    await errorOf(open(place, '/data/t-0'), InvalidArgumentError)
    await errorOf(open(place, '/data'), InvalidArgumentError)
    expect(place.fs.stat('/data/new-0')).toBeNull()
    expect(namesIn(place)).not.toContain('.lock')
    for (const mark of ['meta.properties', 'replication-offset-checkpoint']) {
      place.fs.writeBytes(`/other-${mark}/${mark}`, Buffer.from('x'))
      await errorOf(open(place, `/other-${mark}/t-0`), InvalidArgumentError)
    }
  })

  test('is refused as a data directory', async () => {
    const place = simulatedPlace()
    const log = await open(place)
    await log.close()
    const before = namesIn(place, '')
    const opening = LogDirectory.open('/data', { fs: place.fs })
    await errorOf(opening, InvalidArgumentError)
    expect(namesIn(place, '')).toEqual(before)
    expect((await open(place)).recoveryReport.clean).toBe(true)
  })

  test('refuses bad options and leaves nothing behind', async () => {
    const place = simulatedPlace()
    await errorOf(open(place, '/data', { openFilesMax: 0 }), InvalidArgumentError)
    await errorOf(open(place, '/data', { log: { segmentBytes: 0 } }), InvalidArgumentError)
    expect(place.fs.stat('/data')).toBeNull()
  })

  test('leaves no marker, no lock and no open file when it failed', async () => {
    const place = simulatedPlace()
    const log = await open(place)
    await appendValues(log, 5)
    place.fs.injectFault({ kind: 'EIO', isLasting: true })
    await errorOf(log.append({ value: 'lost' }), LogOfflineError)
    place.fs.clearFaults()
    await log.close().catch(() => undefined)
    expect(namesIn(place, '')).not.toContain(own[0])
    expect(place.fs.openFiles()).toEqual([])
    const again = await open(place)
    expect((await readAll(again)).slice(0, 5)).toEqual(values(0, 5))
    await again.close()
  })

  test('that cannot be opened leaves no lock and no open file', async () => {
    const place = simulatedPlace()
    const log = await open(place)
    await appendValues(log, 5)
    await log.close()
    await place.fs.remove('/data/.kafka_cleanshutdown')
    place.fs.flipBit(`/data/${fileOf(0)}`, 8 * 80)
    for (let times = 0; times < 2; times++) {
      await errorOf(open(place), CorruptLogError)
      expect(place.fs.openFiles()).toEqual([])
    }
  })
})

describe('a data directory that finds a log that was on its own', () => {
  const place = () => simulatedPlace()

  async function moved(isClean: boolean) {
    const here = place()
    const log = await open(here, '/alone/x', { log: { acks: 'written' } })
    await appendValues(log, 30, 10)
    await log.deleteSegmentsBefore(15)
    const left = isClean ? here : simulatedPlace(here.fs.fork())
    await log.close()
    await (await openDirectory(left)).close()
    left.fs.rename('/alone/x', '/data/t-0')
    return left
  }

  test('takes it over, closed cleanly, with its offsets', async () => {
    const here = await moved(true)
    const directory = await openDirectory(here)
    const log = directory.log('t', 0)
    expect(log.recoveryReport).toMatchObject({ clean: true, recoveryPoint: 30, logStartOffset: 15 })
    expect(await readAll(log)).toEqual(values(15, 30))
    for (const name of [...own, 'log-start-offset-checkpoint']) {
      expect(namesIn(here)).not.toContain(name)
    }
    await directory.close()
    const again = await openDirectory(here)
    expect(again.log('t', 0).recoveryReport).toMatchObject({ clean: true, logStartOffset: 15 })
    await again.close()
  })

  test('recovers it when it was not closed cleanly, whatever its own marker says', async () => {
    const here = await moved(false)
    const directory = await openDirectory(here)
    const { recoveryReport } = directory.log('t', 0)
    expect(recoveryReport).toMatchObject({ clean: false, logStartOffset: 15, logEndOffset: 30 })
    expect(await readAll(directory.log('t', 0))).toEqual(values(15, 30))
    await directory.close()
  })

  test('leaves it alone while somebody has it open on its own', async () => {
    const here = place()
    await (await openDirectory(here, {}, {})).close()
    for (const name of here.fs.list('/data')) await here.fs.remove(`/data/${name}`)
    const log = await open(here, '/data/t-0')
    const directory = await openDirectory(here)
    expect(directory.failures.get('t-0')).toBeInstanceOf(LogLockedError)
    await appendValues(log, 3)
    await log.close()
    const taken = await directory.reopenLog('t', 0)
    expect(await readAll(taken)).toEqual(values(0, 3))
    await directory.close()
  })

  test('loses nothing wherever it dies on the way', async () => {
    const here = await moved(true)
    here.fs.settle()
    await openDirectory(here)
    for (let moment = 0; moment <= here.fs.operations; moment++) {
      for (const variant of ['none', 'all', { mode: 'harsh', seed: moment }] as const) {
        const left = simulatedPlace(here.fs.crashState(moment, variant))
        const again = await openDirectory(left)
        expect(await readAll(again.log('t', 0))).toEqual(values(15, 30))
        await again.close()
      }
    }
  })
})
