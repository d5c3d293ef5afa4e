import { endTransactionMarkerBatch, InvalidArgumentError } from '@varve/record'
import { afterEach, describe, expect, test } from 'vitest'
import { logChannels } from '../../src/base/diagnostics.ts'
import { LogClosedError, SegmentPinnedError } from '../../src/base/log-errors.ts'
import type { SegmentInfo } from '../../src/base/segment-info.ts'
import type { Log } from '../../src/log.ts'
import {
  type CleanedSegment,
  CleanedSegmentWriter,
} from '../../src/segments/cleaned-segment-writer.ts'
import { ManualClock } from '../../src/testing/index.ts'
import {
  appendValues,
  batchOf,
  bytesAt,
  createLog,
  errorOf,
  eventsOf,
  fileOf,
  namesIn,
  offsetsOf,
  type Place,
  places,
  range,
  readAll,
  removePlace,
  reopenLog,
  simulatedPlace,
  TestProducer,
  values,
} from '../log-fixture.ts'

/** Writes the records of `from` at the offsets that `isKept` lets pass into one cleaned segment. */
async function clean(
  place: Place,
  log: Log,
  replaced: readonly SegmentInfo[],
  isKept: (offset: number) => boolean,
): Promise<CleanedSegment> {
  const [first] = replaced
  const last = replaced.at(-1)
  if (first === undefined || last === undefined) throw new Error('nothing to clean')
  const writer = new CleanedSegmentWriter(log.directory, first.baseOffset, { fs: place.fs })
  const reader = log.reader({ from: Math.max(first.baseOffset, log.logStartOffset) })
  for await (const batch of reader) {
    if (batch.baseOffset >= last.nextOffset) break
    if (isKept(batch.baseOffset)) await writer.append(batch)
  }
  return writer.finish(last.nextOffset)
}

const isEven = (offset: number): boolean => offset % 2 === 0

describe.each(places)('replacing segments on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test('several by one: readers see the cleaned records, now and after reopening', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 40, 10)
    const replaced = log.segments().slice(0, 2)
    await log.replaceSegments([await clean(place, log, replaced, isEven)], replaced)
    const expected = [...range(0, 20).filter(isEven), ...range(20, 40)]
    expect(await offsetsOf(log)).toEqual(expected)
    expect(log.segments().map(({ baseOffset, nextOffset }) => [baseOffset, nextOffset])).toEqual([
      [0, 20],
      [20, 30],
      [30, 40],
    ])
    expect(log.logEndOffset).toBe(40)
    await appendValues(log, 2)
    await directory.close()
    expect(namesIn(place).filter((name) => /deleted|swap|cleaned/.test(name))).toEqual([])

    const reopened = await reopenLog(place)
    expect(reopened.log.recoveryReport).toMatchObject({ clean: true, scannedBytes: 0 })
    expect(await offsetsOf(reopened.log)).toEqual([...expected, 40, 41])
    await reopened.directory.close()
  })

  test('the last ones before an empty segment: what is left is visible, and all of it', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 10)
    await log.roll()
    for (let round = 0; round < 2; round++) {
      const replaced = log.segments().slice(0, -1)
      await log.replaceSegments([await clean(place, log, replaced, isEven)], replaced)
      const sizes = log.segments().map(({ path, sizeBytes }) => {
        return [sizeBytes, place.fs.stat(path)?.sizeBytes]
      })
      expect(sizes[0]?.[0]).toBe(sizes[0]?.[1])
      expect(sizes[1]).toEqual([0, 0])
      using snapshot = log.snapshot()
      expect(snapshot.segments).toHaveLength(1)
    }
    expect(await offsetsOf(log)).toEqual(range(0, 20).filter(isEven))
    await appendValues(log, 2)
    expect(await offsetsOf(log)).toEqual([...range(0, 20).filter(isEven), 20, 21])
    await directory.close()
  })

  test('a killed process leaves the cleaned records, and everything after them', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place, { acks: 'written' })
    await appendValues(log, 40, 10)
    // Right after the roll, while the segment is still being sealed.
    await log.roll()
    const replaced = log.segments().slice(0, -1)
    await log.replaceSegments([await clean(place, log, replaced, isEven)], replaced)
    const copy = place.killed()
    const reopened = await reopenLog(copy)
    expect(reopened.log.recoveryReport.cut).toBeNull()
    expect(await offsetsOf(reopened.log)).toEqual(range(0, 40).filter(isEven))
    expect(reopened.log.logEndOffset).toBe(40)
    await reopened.directory.close()
    removePlace(copy)
    await directory.close()
  })

  test('one in the middle by several, and by an empty one', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 30, 10)
    const middle = log.segments().slice(1, 2)
    const low = new CleanedSegmentWriter(log.directory, 10, { fs: place.fs })
    const high = new CleanedSegmentWriter(log.directory, 15, { fs: place.fs })
    for await (const batch of log.reader({ from: 10 })) {
      if (batch.baseOffset < 15) await low.append(batch)
      else if (batch.baseOffset < 20) await high.append(batch)
    }
    const outputs = [await low.finish(15), await high.finish(20)]
    await log.replaceSegments(outputs, middle)
    expect(log.segments().map(({ baseOffset }) => baseOffset)).toEqual([0, 10, 15, 20])
    expect(await readAll(log)).toEqual(values(0, 30))

    const [, second] = log.segments()
    if (second === undefined) throw new Error('there are four segments')
    await log.replaceSegments([await clean(place, log, [second], () => false)], [second])
    expect(await offsetsOf(log)).toEqual([...range(0, 10), ...range(15, 30)])
    await directory.close()
    const reopened = await reopenLog(place)
    expect(await offsetsOf(reopened.log)).toEqual([...range(0, 10), ...range(15, 30)])
    expect(await offsetsOf(reopened.log, { from: 12 })).toEqual(range(15, 30))
    await reopened.directory.close()
  })

  test('a reader that stands in a replaced segment reads on without a gap or a repetition', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 40, 10)
    const reader = log.reader({ from: 0, maxBytes: 1 })
    const before: number[] = []
    for (let count = 0; count < 5; count++) {
      const { value } = await reader.next()
      if (value !== undefined) before.push(value.baseOffset)
    }
    const replaced = log.segments().slice(0, 2)
    await log.replaceSegments([await clean(place, log, replaced, isEven)], replaced)
    const after: number[] = []
    for await (const batch of reader) if (batch.count !== 0) after.push(batch.baseOffset)
    expect(before).toEqual(range(0, 5))
    expect(after).toEqual([...range(5, 20).filter(isEven), ...range(20, 40)])
    await directory.close()
  })
})

describe('replacing segments', () => {
  test('publishes what was replaced by what', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 10)
    const replaced = log.segments().slice(0, 1)
    const cleaned = await clean(place, log, replaced, isEven)
    const events = await eventsOf(logChannels.replace, () =>
      log.replaceSegments([cleaned], replaced),
    )
    expect(events).toEqual([{ log: 't-0', replaced, added: [cleaned.info] }])
    await directory.close()
  })

  test('keeps the old files for other processes for a while', async () => {
    const place = simulatedPlace()
    const clock = new ManualClock()
    const { directory, log } = await createLog(place, { fileDeleteDelayMs: 1000 }, { clock })
    await appendValues(log, 20, 10)
    const replaced = log.segments().slice(0, 1)
    const old = bytesAt(place, `t-0/${fileOf(0)}`)
    await log.replaceSegments([await clean(place, log, replaced, isEven)], replaced)
    expect(bytesAt(place, `t-0/${fileOf(0)}.deleted`)).toEqual(old)
    clock.advance(999)
    expect(namesIn(place)).toContain(`${fileOf(0)}.deleted`)
    clock.advance(1)
    await expect.poll(() => namesIn(place).some((name) => name.endsWith('.deleted'))).toBe(false)
    await directory.close()
  })

  test('is refused while a snapshot has one of them pinned, and works afterwards', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 10)
    const replaced = log.segments().slice(0, 1)
    const cleaned = await clean(place, log, replaced, isEven)
    const snapshot = log.snapshot()
    const error = await errorOf(log.replaceSegments([cleaned], replaced), SegmentPinnedError)
    expect(error.retriable).toBe(true)
    expect(await readAll(log)).toEqual(values(0, 20))
    snapshot.release()
    await log.replaceSegments([cleaned], replaced)
    expect(await offsetsOf(log)).toEqual([...range(0, 10).filter(isEven), ...range(10, 20)])
    await directory.close()
  })

  test('refuses what is not there, not sealed, not neighbouring, or not finished', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 40, 10)
    const infos = log.segments()
    const [first, second, third, active] = infos
    if (!first || !second || !third || !active) throw new Error('there are four segments')
    const cleaned = await clean(place, log, [first], isEven)
    const other = { ...cleaned, info: { ...cleaned.info, baseOffset: 5 } }
    const elsewhere = { ...cleaned, directory: '/data/u-0' }
    const cases: ReadonlyArray<readonly [readonly CleanedSegment[], readonly SegmentInfo[]]> = [
      [[cleaned], []],
      [[cleaned], [first, third]],
      [[cleaned], [active]],
      [[cleaned], [{ ...first, sizeBytes: 1 }]],
      [[cleaned], [second]],
      [[cleaned], [first, second]],
      [[cleaned], [third]],
      [[cleaned, cleaned], [first]],
      [[other], [first]],
      [[elsewhere], [first]],
      [[], [first]],
    ]
    for (const [outputs, replaced] of cases) {
      await errorOf(log.replaceSegments(outputs, replaced), InvalidArgumentError)
    }
    // As a caller without types may get them wrong: no reason to take the log offline.
    for (const nothing of [undefined, null, {}, [null], [undefined], [{}], 'x'] as const) {
      const wrong = nothing as unknown as readonly never[]
      await errorOf(log.replaceSegments([cleaned], wrong), InvalidArgumentError)
      await errorOf(log.replaceSegments(wrong, [first]), InvalidArgumentError)
    }
    expect(await readAll(log)).toEqual(values(0, 40))
    await log.replaceSegments([cleaned], [first])
    await directory.close()
    await errorOf(log.replaceSegments([cleaned], [first]), LogClosedError)
  })

  test('carries aborted transactions over', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const producer = new TestProducer(7)
    await log.appendBatch(producer.batch(2, { isTransactional: true }))
    await appendValues(log, 2)
    await log.appendBatch(producer.marker('abort'), { origin: 'coordinator' })
    await log.roll()
    const replaced = log.segments().slice(0, 1)
    const writer = new CleanedSegmentWriter(log.directory, 0, { fs: place.fs })
    for await (const batch of log.reader({ from: 0 })) await writer.append(batch)
    const aborted = { producerId: 7, firstOffset: 0, lastOffset: 4, lastStableOffset: 5 }
    writer.addAbortedTransaction(aborted)
    await log.replaceSegments([await writer.finish(5)], replaced)
    expect(await offsetsOf(log, { isolation: 'committed' })).toEqual([2, 3])
    await directory.close()
    const reopened = await reopenLog(place)
    expect(await offsetsOf(reopened.log, { isolation: 'committed' })).toEqual([2, 3])
    const read = await reopened.log.read({ from: 0, isolation: 'committed' })
    expect(read.abortedTransactions).toEqual([{ version: 0, ...aborted }])
    await reopened.directory.close()
  })
})

describe('the writer of a cleaned segment', () => {
  test('makes a segment with the same batches, indexes, digest and timestamps', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, { indexIntervalBytes: 100 })
    await appendValues(log, 50)
    await log.roll()
    await log.flush()
    await directory.close()
    const { directory: again, log: opened } = await reopenLog(place, { indexIntervalBytes: 100 })
    const [sealed] = opened.segments()
    if (sealed === undefined) throw new Error('there is a sealed segment')
    const options = { fs: place.fs, log: { indexIntervalBytes: 100 } }
    const writer = new CleanedSegmentWriter(opened.directory, 0, options)
    for await (const batch of opened.reader({ from: 0 })) await writer.append(batch)
    expect(writer.sizeBytes).toBe(sealed.sizeBytes)
    const cleaned = await writer.finish(50)
    expect(cleaned).toEqual({ directory: opened.directory, info: sealed })
    for (const kind of ['log', 'index', 'timeindex', 'digest']) {
      const made = bytesAt(place, `t-0/${fileOf(0, kind)}.cleaned`)
      expect(made).toEqual(bytesAt(place, `t-0/${fileOf(0, kind)}`))
      expect(made.length).toBeGreaterThan(0)
    }
    expect(place.fs.openFiles().filter((path) => path.includes('cleaned'))).toEqual([])
    await again.close()
  })

  test('refuses offsets that do not rise and an end before its records', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const writer = new CleanedSegmentWriter(log.directory, 10, { fs: place.fs })
    const at = (baseOffset: number) => batchOf([{ value: 'a' }, { value: 'b' }], { baseOffset })
    await expect(writer.append(at(9))).rejects.toMatchObject({ code: 'VARVE_CORRUPT_BATCH' })
    await writer.append(at(20))
    await expect(writer.append(at(21))).rejects.toMatchObject({ code: 'VARVE_CORRUPT_BATCH' })
    await expect(writer.append(at(2 ** 32))).rejects.toMatchObject({ code: 'VARVE_CORRUPT_BATCH' })
    await errorOf(writer.finish(21), InvalidArgumentError)
    await errorOf(writer.finish(Number.NaN), InvalidArgumentError)
    await errorOf(writer.finish(11 + 2 ** 31), InvalidArgumentError)
    expect(await writer.finish(22)).toMatchObject({ info: { baseOffset: 10, nextOffset: 22 } })
    await directory.close()
  })

  test('ends with a batch without records where nothing is left of the last offsets', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 10)
    const replaced = log.segments().slice(0, 1)
    await log.replaceSegments([await clean(place, log, replaced, (offset) => offset < 3)], replaced)
    const { batches } = await log.read({ from: 3 })
    expect(
      batches.map(({ baseOffset, lastOffset, count }) => [baseOffset, lastOffset, count])[0],
    ).toEqual([9, 9, 0])
    expect(await offsetsOf(log)).toEqual([0, 1, 2, ...range(10, 20)])
    expect((await log.offsetForTimestamp(1003))?.offset).toBe(10)
    expect(log.segments()[0]).toMatchObject({ nextOffset: 10, maxTimestamp: 1002 })
    await directory.close()
  })

  test('gives up without leaving anything', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const before = namesIn(place)
    const writer = new CleanedSegmentWriter(log.directory, 10, { fs: place.fs })
    await writer.append(batchOf([{ value: 'a' }], { baseOffset: 10 }))
    await writer.abandon()
    expect(namesIn(place)).toEqual(before)
    await directory.close()
    expect(place.fs.openFiles()).toEqual([])
  })
})

test('what was replaced is not recovered again, where a snapshot knows of what is gone', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place)
  const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true }
  await log.appendBatch(batchOf([{ value: 'to be compacted' }], producer))
  await log.roll()
  const timestamp = 1000
  const ending = { ...producer, type: 'commit', coordinatorEpoch: 0, timestamp } as const
  await log.appendBatch(endTransactionMarkerBatch(ending), { origin: 'coordinator' })
  await appendValues(log, 1)
  await log.roll()
  await appendValues(log, 1)
  const replaced = log.segments().slice(0, 2)
  for (const one of replaced) {
    const cleaned = await clean(place, log, [one], (offset) => offset === 2)
    await log.replaceSegments([cleaned], [one])
  }
  const { fs } = place
  const reopened = await reopenLog(simulatedPlace(fs.crashState(fs.operations, 'none')))
  expect(await offsetsOf(reopened.log, { isolation: 'committed' })).toEqual([2, 3])
  await reopened.directory.close()
})
