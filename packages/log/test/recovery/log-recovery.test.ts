import { crc32c } from '@varve/record'
import { afterEach, describe, expect, test } from 'vitest'
import { logChannels } from '../../src/base/diagnostics.ts'
import { CorruptLogError, LostWriteError } from '../../src/base/log-errors.ts'
import { decodeOffsetIndex } from '../../src/format/offset-index.ts'
import type { SimulatedFileSystem } from '../../src/testing/index.ts'
import {
  appendValues,
  bytesAt,
  createLog,
  eventsOf,
  fileOf,
  namesIn,
  offsetsOf,
  openDirectory,
  type Place,
  places,
  putBytes,
  range,
  readAll,
  removePlace,
  reopenLog,
  simulatedPlace,
  TestProducer,
  values,
} from '../log-fixture.ts'

import {
  garbage,
  killedLog,
  overwrite,
  positionsIn,
  setRecoveryPoint,
  truncate,
  written,
} from './recovery-fixture.ts'

describe.each(places)('recovery on %s', (_name, makePlace) => {
  let place: Place
  let remove = (): void => undefined

  afterEach(() => {
    remove()
    removePlace(place)
  })

  test('of a torn last batch ends the log before it and keeps the rest beside', async () => {
    place = makePlace()
    const killed = await killedLog(place)
    remove = killed.remove
    const last = positionsIn(killed.left, 20).at(-1) ?? 0
    const whole = bytesAt(killed.left, `t-0/${fileOf(20)}`)
    truncate(killed.left, 20, whole.length - 3)
    const { directory, log } = await reopenLog(killed.left)
    const kept = `${killed.left.path}/t-0/${fileOf(20)}.${last}.broken`
    expect(log.recoveryReport).toMatchObject({
      clean: false,
      logEndOffset: 29,
      segments: 3,
      scannedSegments: 3,
      cut: {
        path: `${killed.left.path}/t-0/${fileOf(20)}`,
        position: last,
        offset: 29,
        bytes: whole.length - 3 - last,
        validBatchesFollowed: false,
        keptIn: [kept],
      },
    })
    expect(bytesAt(killed.left, `t-0/${fileOf(20)}.${last}.broken`)).toEqual(
      whole.subarray(last, whole.length - 3),
    )
    expect(await readAll(log)).toEqual(values(0, 29))
    await appendValues(log, 3)
    await directory.close()
    const again = await reopenLog(killed.left)
    expect(await readAll(again.log)).toEqual(values(0, 32))
    expect(again.log.recoveryReport).toMatchObject({ clean: true, cut: null })
    await again.directory.close()
  })

  test('of a bad batch in the middle cuts there, keeps the later segments, and says so', async () => {
    place = makePlace()
    const killed = await killedLog(place)
    remove = killed.remove
    const position = positionsIn(killed.left, 10)[4] ?? 0
    overwrite(killed.left, 10, position + 30, Buffer.from([0xff]))
    const third = bytesAt(killed.left, `t-0/${fileOf(20)}`)
    const { directory, log } = await reopenLog(killed.left)
    const at = (name: string): string => `${killed.left.path}/t-0/${name}`
    expect(log.recoveryReport.cut).toMatchObject({
      offset: 14,
      validBatchesFollowed: true,
      keptIn: [at(`${fileOf(10)}.${position}.broken`), at(`${fileOf(20)}.broken`)],
    })
    expect(bytesAt(killed.left, `t-0/${fileOf(20)}.broken`)).toEqual(third)
    expect(await readAll(log)).toEqual(values(0, 14))
    expect(log.segments().map(({ baseOffset }) => baseOffset)).toEqual([0, 10])
    await appendValues(log, 20, 10)
    await directory.close()
    const again = await reopenLog(killed.left)
    expect(await readAll(again.log)).toEqual(values(0, 34))
    await again.directory.close()
  })
})

describe('recovery', () => {
  test('leaves no half copy of a tail that the disk has no room for', async () => {
    const { left } = await killedLog(simulatedPlace())
    const damaged = positionsIn(left, 20)[5] ?? 0
    overwrite(left, 20, damaged, garbage)
    const kept = bytesAt(left, `t-0/${fileOf(20)}`).subarray(damaged)
    for (let after = 0; ; after += 1) {
      const place = left.killed() as Place<SimulatedFileSystem>
      place.fs.injectFault({ kind: 'ENOSPC', after })
      const directory = await openDirectory(place).catch(() => null)
      const isHit = place.fs.faultHits > 0
      for (const name of namesIn(place).filter((it) => it.endsWith('.broken'))) {
        expect(bytesAt(place, `t-0/${name}`)).toEqual(kept)
      }
      place.fs.clearFaults()
      await directory?.close()
      if (!isHit) break
    }
  })

  test('with onLostWrites refuse opens nothing where valid batches follow, and changes none of the records', async () => {
    const { left } = await killedLog(simulatedPlace())
    overwrite(left, 10, 200, garbage)
    const logs = (): Buffer[] => [0, 10, 20].map((base) => bytesAt(left, `t-0/${fileOf(base)}`))
    const before = logs()
    const refusing = await openDirectory(left, { onLostWrites: 'refuse' })
    const error = refusing.failures.get('t-0')
    expect(error).toBeInstanceOf(LostWriteError)
    expect((error as LostWriteError).damage).toMatchObject({ firstOffset: 12, lastOffset: null })
    await refusing.close()
    expect(logs()).toEqual(before)
    // A torn tail is no lost write.
    truncate(left, 10, 250)
    for (const base of [20]) await left.fs.remove(`/data/t-0/${fileOf(base)}`)
    const { directory, log } = await reopenLog(left, { onLostWrites: 'refuse' })
    expect(log.logEndOffset).toBe(12)
    await directory.close()
  })

  test('refuses a bad batch below the recovery point, wherever it is, and changes nothing', async () => {
    for (const [base, index, offset] of [
      [0, 3, 3],
      [10, 0, 10],
      [20, 8, 28],
    ] as const) {
      const { left } = await killedLog(simulatedPlace())
      await setRecoveryPoint(left, 30)
      const position = positionsIn(left, base)[index] ?? 0
      overwrite(left, base, position + 40, Buffer.from([0xee]))
      const before = namesIn(left).map((name) => bytesAt(left, `t-0/${name}`))
      const directory = await openDirectory(left)
      const error = directory.failures.get('t-0')
      if (base < 20) {
        // Only the segment of the recovery point is read: the others are for `verify` to find.
        expect(error).toBeUndefined()
        const reading = readAll(directory.log('t', 0))
        await expect(reading).rejects.toMatchObject({ damage: { position, firstOffset: offset } })
      } else {
        expect(error).toBeInstanceOf(CorruptLogError)
        expect((error as CorruptLogError).damage).toMatchObject({
          path: `/data/t-0/${fileOf(base)}`,
          position,
          firstOffset: offset,
          lastOffset: 29,
        })
        expect(namesIn(left).map((name) => bytesAt(left, `t-0/${name}`))).toEqual(before)
      }
      await directory.close()
    }
  })

  test('refuses a log that ends below the recovery point, also after a clean shutdown', async () => {
    for (const isClean of [false, true]) {
      const place = simulatedPlace()
      const { directory, log } = await createLog(place)
      await appendValues(log, 30, 10)
      await directory.close()
      if (!isClean) await place.fs.remove('/data/.kafka_cleanshutdown')
      // The last segment is lost with everything that belongs to it.
      for (const name of namesIn(place).filter((name) => /0020\./.test(name))) {
        await place.fs.remove(`/data/t-0/${name}`)
      }
      const opened = await openDirectory(place)
      expect(opened.failures.get('t-0')).toBeInstanceOf(CorruptLogError)
      await opened.close()
    }
  })

  test('refuses a log without any segment whose records were known to be durable', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    await directory.close()
    await place.fs.remove(`/data/t-0/${fileOf(0)}`)
    const opened = await openDirectory(place)
    expect(opened.failures.get('t-0')).toBeInstanceOf(CorruptLogError)
    await opened.close()
  })

  test('takes a gap above the recovery point for the loss of an end', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, written)
    await appendValues(log, 30, 10)
    // Of a log that Varve wrote: its progress says so.
    const left = simulatedPlace(place.fs.crashState(place.fs.operations, 'all'))
    await directory.close()
    for (const name of namesIn(left).filter((name) => name.endsWith('.digest'))) {
      await left.fs.remove(`/data/t-0/${name}`)
    }
    const position = positionsIn(left, 0)[9] ?? 0
    truncate(left, 0, position)
    const reopened = await reopenLog(left)
    expect(reopened.log.recoveryReport.cut).toMatchObject({
      offset: 9,
      position,
      validBatchesFollowed: true,
      keptIn: [`/data/t-0/${fileOf(20)}.broken`, `/data/t-0/${fileOf(10)}.broken`],
    })
    expect(await readAll(reopened.log)).toEqual(values(0, 9))
    await reopened.directory.close()
  })

  test('refuses damage in a segment whose digest proves that it was sealed', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, written)
    await appendValues(log, 30, 10)
    await log.flush()
    const left = place.killed()
    await directory.close()
    putBytes(left, 't-0/progress', Buffer.alloc(0))
    expect(namesIn(left)).toContain(fileOf(10, 'digest'))
    overwrite(left, 10, (positionsIn(left, 10)[4] ?? 0) + 40, Buffer.from([0xee]))
    const opened = await openDirectory(left)
    const error = opened.failures.get('t-0')
    expect(error).toBeInstanceOf(CorruptLogError)
    expect((error as CorruptLogError).damage).toMatchObject({ firstOffset: 14 })
    await opened.close()
  })

  test('cuts zeros, as preallocation and lost writes leave them, without keeping them', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, {
      ...written,
      preallocate: true,
      segmentBytes: 4096,
    })
    await appendValues(log, 10)
    const left = place.killed()
    await directory.close()
    expect(bytesAt(left, `t-0/${fileOf(0)}`).length).toBe(4096)
    const reopened = await reopenLog(left)
    expect(reopened.log.recoveryReport.cut).toMatchObject({
      offset: 10,
      validBatchesFollowed: false,
      keptIn: [],
    })
    expect(await readAll(reopened.log)).toEqual(values(0, 10))
    await reopened.directory.close()
  })

  test('leaves the same indexes, digests and snapshots as a clean life does', async () => {
    const options = { ...written, indexIntervalBytes: 100 }
    const clean = simulatedPlace()
    const one = await createLog(clean, options)
    await appendValues(one.log, 30, 10)
    await one.directory.close()
    const { left } = await killedLog(simulatedPlace(), options)
    // Whatever the crash left of the derived files is not believed.
    for (const name of namesIn(left)) {
      if (/index$|digest$/.test(name)) putBytes(left, `t-0/${name}`, garbage)
    }
    await (await openDirectory(left, options)).close()
    const derived = namesIn(clean).filter((name) => /index$|digest$|snapshot$/.test(name))
    expect(derived.length).toBe(3 * 3 + 3)
    expect(namesIn(left).filter((name) => /index$|digest$|snapshot$/.test(name))).toEqual(derived)
    for (const name of derived) {
      expect(bytesAt(left, `t-0/${name}`), name).toEqual(bytesAt(clean, `t-0/${name}`))
    }
    const { index } = decodeOffsetIndex(bytesAt(left, `t-0/${fileOf(10, 'index')}`), 10)
    expect(index.count).toBeGreaterThan(2)
  })

  test('reads from the segment of the recovery point on, no more', async () => {
    // A segment that ends there was flushed, but nothing says that its indexes were.
    for (const [point, scanned] of [
      [0, 3],
      [9, 3],
      [10, 3],
      [15, 2],
      [20, 2],
      [30, 1],
    ] as const) {
      const { left } = await killedLog(simulatedPlace())
      await setRecoveryPoint(left, point)
      const { directory, log } = await reopenLog(left)
      const { recoveryReport } = log
      expect(recoveryReport).toMatchObject({ recoveryPoint: point, segments: 3 })
      expect(recoveryReport.scannedSegments).toBe(scanned)
      const bytes = range(3 - scanned, 3).reduce(
        (sum, index) => sum + (left.fs.stat(`/data/t-0/${fileOf(index * 10)}`)?.sizeBytes ?? 0),
        0,
      )
      expect(recoveryReport.scannedBytes).toBe(bytes)
      await directory.close()
    }
  })

  test('happens again after a crash right after it', async () => {
    const { left } = await killedLog(simulatedPlace())
    truncate(left, 20, 100)
    await reopenLog(left)
    const again = await reopenLog(left.killed())
    expect(again.log.recoveryReport).toMatchObject({ clean: false, cut: null, logEndOffset: 21 })
    expect(await readAll(again.log)).toEqual(values(0, 21))
    await again.directory.close()
  })

  test('does not take a marker of another client that cannot be read for damage', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, written)
    const producer = new TestProducer(4)
    await log.appendBatch(producer.batch(2, { isTransactional: true }))
    await appendValues(log, 1)
    const marker = producer.marker('abort')
    // The value's length is not that of a marker: other clients have written such.
    await log.appendBatch(marker, { origin: 'coordinator' })
    await appendValues(log, 2)
    const left = place.killed()
    await directory.close()
    const bytes = bytesAt(left, `t-0/${fileOf(0)}`)
    const at = positionsIn(left, 0)[2] ?? 0
    const empty = emptyMarkerValue(bytes.subarray(at, positionsIn(left, 0)[3]))
    const rest = bytes.subarray(positionsIn(left, 0)[3])
    putBytes(left, `t-0/${fileOf(0)}`, Buffer.concat([bytes.subarray(0, at), empty, rest]))

    const check = async (opening: () => ReturnType<typeof reopenLog>): Promise<void> => {
      let opened: Awaited<ReturnType<typeof reopenLog>> | null = null
      const events = await eventsOf(logChannels.corruption, async () => {
        opened = await opening()
      })
      const { directory: again, log: found } = opened as unknown as Awaited<
        ReturnType<typeof reopenLog>
      >
      expect(found.recoveryReport.cut).toBeNull()
      expect(found.logEndOffset).toBe(6)
      expect(await offsetsOf(found, { from: 4 })).toEqual([4, 5])
      // It says nothing of the producer: its transaction is still open.
      expect(found.lastStableOffset).toBe(0)
      expect(events).toEqual([
        expect.objectContaining({ log: 't-0', path: `/data/t-0/${fileOf(0)}` }),
      ])
      await again.close()
    }
    await check(() => reopenLog(left))
    // Replayed, too, when the snapshots are gone.
    for (const name of namesIn(left).filter((name) => name.endsWith('.snapshot'))) {
      await left.fs.remove(`/data/t-0/${name}`)
    }
    await check(() => reopenLog(left))
  })

  test.each(['none', 'unreadable'])('finds producers with %s of their snapshots', async (state) => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const producer = new TestProducer(9)
    for (let round = 0; round < 4; round++) {
      await log.appendBatch(producer.batch(3))
      await log.roll()
    }
    await directory.close()
    for (const name of namesIn(place).filter((name) => name.endsWith('.snapshot'))) {
      if (state === 'none') await place.fs.remove(`/data/t-0/${name}`)
      else putBytes(place, `t-0/${name}`, garbage)
    }
    const { directory: again, log: opened } = await reopenLog(place)
    expect(opened.recoveryReport.rebuiltFiles.length).toBe(state === 'none' ? 0 : 4)
    const wrong = new TestProducer(9)
    await expect(opened.appendBatch(wrong.batch(1))).rejects.toMatchObject({
      code: 'VARVE_OUT_OF_ORDER_SEQUENCE',
    })
    await opened.appendBatch(producer.batch(1))
    await again.close()
  })

  test('keeps the snapshots at segment bases and the newest one', async () => {
    const { left } = await killedLog(simulatedPlace())
    for (const stray of [3, 17, 29, 44]) putBytes(left, `t-0/${fileOf(stray, 'snapshot')}`, garbage)
    const { directory } = await reopenLog(left)
    const found = namesIn(left).filter((name) => name.endsWith('.snapshot'))
    expect(found).toEqual(expect.arrayContaining([fileOf(10, 'snapshot'), fileOf(20, 'snapshot')]))
    for (const stray of [3, 17, 44]) expect(found).not.toContain(fileOf(stray, 'snapshot'))
    await directory.close()
    expect(namesIn(left)).toContain(fileOf(30, 'snapshot'))
  })
})

/** The marker batch with a value of no bytes: its checksum is right again. */
function emptyMarkerValue(marker: Buffer): Buffer {
  const before = marker.subarray(0, 61)
  // Length, attributes, timestamp delta, offset delta, key length, key, value length, value.
  const record = marker.subarray(61)
  const key = record.subarray(5, 9)
  const body = Buffer.concat([Buffer.from([0, 0, 0, 8]), key, Buffer.from([0, 0])])
  const bytes = Buffer.concat([before, Buffer.from([body.length * 2]), body])
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return bytes
}
