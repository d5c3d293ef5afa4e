import { describe, expect, test, vi } from 'vitest'
import type { Log } from '../../src/log.ts'
import { CleanedSegmentWriter } from '../../src/segments/cleaned-segment-writer.ts'
import { listReadableSegments } from '../../src/segments/readable-listing.ts'
import { finishSwap } from '../../src/segments/segment-swap.ts'
import { segmentFileName } from '../../src/storage/file-names.ts'
import {
  crashVariants,
  describeVariant,
  Random,
  seedFromEnvironment,
} from '../../src/testing/index.ts'
import {
  appendValues,
  createLog,
  eventsOf,
  namesIn,
  offsetsOf,
  openDirectory,
  type Place,
  range,
  reopenLog,
  simulatedPlace,
  TestProducer,
} from '../log-fixture.ts'

type Sim = ReturnType<typeof simulatedPlace>

const isKept = (offset: number): boolean => offset % 3 === 0 || offset >= 20
const kinds = ['log', 'index', 'timeindex', 'txnindex', 'digest'] as const

/** Three sealed segments of ten and an active one; the first two are to be replaced. */
async function logToClean(): Promise<{ readonly place: Sim; readonly log: Log }> {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place, { indexIntervalBytes: 60 })
  await appendValues(log, 35, 10)
  await directory.close()
  const { log: opened } = await reopenLog(place, { indexIntervalBytes: 60 })
  return { place, log: opened }
}

async function writeCleaned(
  place: Place,
  log: Log,
  spans: ReadonlyArray<readonly [number, number]>,
): Promise<Awaited<ReturnType<CleanedSegmentWriter['finish']>>[]> {
  const cleaned = []
  for (const [from, to] of spans) {
    const options = { fs: place.fs, log: { indexIntervalBytes: 60 } }
    const writer = new CleanedSegmentWriter(log.directory, from, options)
    for await (const batch of log.reader({ from })) {
      if (batch.baseOffset >= to) break
      if (isKept(batch.baseOffset)) await writer.append(batch)
    }
    cleaned.push(await writer.finish(to))
  }
  return cleaned
}

const oldOffsets = range(0, 35)
const newOffsets = oldOffsets.filter(isKept)

const shapes = [
  { name: 'two segments by one', spans: [[0, 20]], replaced: 2 },
  {
    name: 'two segments by two',
    spans: [
      [0, 12],
      [12, 20],
    ],
    replaced: 2,
  },
  {
    name: 'one segment by three',
    spans: [
      [0, 3],
      [3, 6],
      [6, 10],
    ],
    replaced: 1,
  },
] as const

describe.each(shapes)('replacing $name', ({ spans, replaced }) => {
  const expected = [
    oldOffsets,
    range(0, 35).filter((offset) => isKept(offset) || offset >= replaced * 10),
  ]

  test('leaves, wherever the power is cut, all of the old records or all of the new', async () => {
    const random = new Random(seedFromEnvironment('segment-swap'))
    const { place, log } = await logToClean()
    place.fs.settle()
    const cleaned = await writeCleaned(place, log, spans)
    await log.replaceSegments(cleaned, log.segments().slice(0, replaced))
    const done = place.fs.operations
    expect(await offsetsOf(log)).toEqual(expected[1])
    let [olds, news] = [0, 0]
    for (let moment = 0; moment <= done; moment++) {
      // The campaign of crash-replacing.campaign.ts goes through all of them, and many more.
      for (const variant of random.shuffle(crashVariants(random, 2)).slice(0, 2)) {
        const left = simulatedPlace(place.fs.crashState(moment, variant))
        const what = `after ${moment} of ${done} operations, ${describeVariant(variant)}`
        const { directory, log: opened } = await reopenLog(left, { indexIntervalBytes: 60 })
        const offsets = await offsetsOf(opened)
        expect(expected, what).toContainEqual(offsets)
        if (offsets.length === expected[0]?.length) olds++
        else news++
        expect(
          namesIn(left).filter((name) => /swap|cleaned|deleted/.test(name)),
          what,
        ).toEqual([])
        for (const { baseOffset } of opened.segments().slice(0, -1)) {
          for (const kind of ['index', 'timeindex', 'digest'] as const) {
            expect(namesIn(left), what).toContain(segmentFileName(baseOffset, kind))
          }
        }
        expect(opened.logEndOffset, what).toBe(35)
        await directory.close()
      }
    }
    expect(olds).toBeGreaterThan(0)
    expect(news).toBeGreaterThan(0)
  })

  test('is finished or undone by a second process that dies on the way, too', async () => {
    const random = new Random(seedFromEnvironment('segment-swap, twice'))
    const { place, log } = await logToClean()
    place.fs.settle()
    const cleaned = await writeCleaned(place, log, spans)
    await log.replaceSegments(cleaned, log.segments().slice(0, replaced))
    for (let moment = random.int(5); moment <= place.fs.operations; moment += 5) {
      const first = place.fs.crashState(moment, 'all')
      first.settle()
      await finishSwap(first, '/data/t-0')
      for (let later = random.int(6); later <= first.operations; later += 6) {
        for (const variant of ['none', 'all', { mode: 'harsh', seed: later }] as const) {
          const left = simulatedPlace(first.crashState(later, variant))
          const { directory, log: opened } = await reopenLog(left)
          expect(expected).toContainEqual(await offsetsOf(opened))
          await directory.close()
        }
      }
    }
  })
})

/** What Kafka's LogLoader finds at each crash point, put there by hand. */
describe('after a crash, opening', () => {
  async function cleanedBeside(): Promise<{ readonly place: Sim }> {
    const { place, log } = await logToClean()
    await writeCleaned(place, log, [[0, 20]])
    return { place: simulatedPlace(place.fs.fork()) }
  }

  const rename = (place: Sim, base: number, kind: string, from: string, to: string): void => {
    const name = segmentFileName(base, kind as 'log')
    if (place.fs.stat(`/data/t-0/${name}${from}`) === null) return
    place.fs.rename(`/data/t-0/${name}${from}`, `/data/t-0/${name}${to}`)
  }

  async function offsetsAfterOpening(place: Sim): Promise<number[]> {
    const { directory, log } = await reopenLog(place)
    const offsets = await offsetsOf(log)
    expect(namesIn(place).filter((name) => /swap|cleaned|deleted/.test(name))).toEqual([])
    await directory.close()
    return offsets
  }

  test('with .cleaned files beside the originals uses the originals', async () => {
    const { place } = await cleanedBeside()
    expect(namesIn(place).filter((name) => name.endsWith('.cleaned')).length).toBe(kinds.length)
    expect(await offsetsAfterOpening(place)).toEqual(oldOffsets)
  })

  test('with some .swap and some .cleaned of one segment uses the originals', async () => {
    for (let count = 1; count < kinds.length; count++) {
      const { place } = await cleanedBeside()
      for (const kind of kinds.slice(0, count)) rename(place, 0, kind, '.cleaned', '.swap')
      expect(await offsetsAfterOpening(place)).toEqual(oldOffsets)
    }
  })

  test('with .swap files beside the originals uses the new ones', async () => {
    const { place } = await cleanedBeside()
    for (const kind of kinds) rename(place, 0, kind, '.cleaned', '.swap')
    expect(await offsetsAfterOpening(place)).toEqual(newOffsets)
  })

  test('a look from another process follows what gets its last name meanwhile', async () => {
    const { place } = await cleanedBeside()
    for (const kind of kinds) rename(place, 0, kind, '.cleaned', '.swap')
    const swapped = `/data/t-0/${segmentFileName(0, 'log')}.swap`
    const open = place.fs.open.bind(place.fs)
    vi.spyOn(place.fs, 'open').mockImplementation((path, mode) => {
      // Between the listing and the look into the file its writer goes on.
      if (path === swapped) {
        for (const base of [0, 10]) {
          for (const kind of kinds) rename(place, base, kind, '', '.deleted')
        }
        for (const kind of kinds) rename(place, 0, kind, '.swap', '')
      }
      return open(path, mode)
    })
    const listed = await listReadableSegments(place.fs, '/data/t-0')
    expect(listed.map(({ baseOffset }) => baseOffset)).toEqual([0, 20, 30])
    const gone = listReadableSegments(place.fs, '/data/t-1')
    await expect(gone).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('with .swap files and some .deleted uses the new ones', async () => {
    for (let count = 1; count <= 2 * kinds.length; count++) {
      const { place } = await cleanedBeside()
      for (const kind of kinds) rename(place, 0, kind, '.cleaned', '.swap')
      const old = [0, 10].flatMap((base) => kinds.map((kind) => [base, kind] as const))
      for (const [base, kind] of old.slice(0, count)) rename(place, base, kind, '', '.deleted')
      expect(await offsetsAfterOpening(place)).toEqual(newOffsets)
    }
  })

  test('with some .swap and some final names uses the new ones, in whatever order', async () => {
    for (const order of [kinds, kinds.toReversed()]) {
      for (let count = 1; count <= kinds.length; count++) {
        const { place } = await cleanedBeside()
        for (const kind of kinds) rename(place, 0, kind, '.cleaned', '.swap')
        for (const kind of kinds) rename(place, 0, kind, '', '.deleted')
        for (const kind of kinds) rename(place, 10, kind, '', '.deleted')
        for (const kind of order.slice(0, count)) rename(place, 0, kind, '.swap', '')
        const contents = kinds.map((kind) => {
          const name = segmentFileName(0, kind)
          const suffix = namesIn(place).includes(name) ? '' : '.swap'
          return place.fs.bytesOf(`/data/t-0/${name}${suffix}`)
        })
        expect(await offsetsAfterOpening(place)).toEqual(newOffsets)
        const left = kinds.map((kind) => place.fs.bytesOf(`/data/t-0/${segmentFileName(0, kind)}`))
        expect(left).toEqual(contents)
      }
    }
  })

  test('finishes what Kafka left, which makes no digest and no empty transaction index', async () => {
    const { place } = await cleanedBeside()
    for (const kind of ['digest', 'txnindex']) {
      await place.fs.remove(`/data/t-0/${segmentFileName(0, kind as 'digest')}.cleaned`)
    }
    for (const kind of kinds) rename(place, 0, kind, '.cleaned', '.swap')
    expect(await offsetsAfterOpening(place)).toEqual(newOffsets)
    // That of the old segment is not the new one's.
    expect(namesIn(place)).not.toContain(segmentFileName(0, 'digest'))
  })

  test('says in the report what it finished', async () => {
    const { place } = await cleanedBeside()
    for (const kind of kinds) rename(place, 0, kind, '.cleaned', '.swap')
    const { directory, log } = await reopenLog(place)
    const { finishedFiles } = log.recoveryReport
    for (const kind of kinds) expect(finishedFiles).toContain(`${segmentFileName(0, kind)}.swap`)
    expect(finishedFiles).toContain(segmentFileName(10, 'log'))
    expect(finishedFiles).not.toContain(segmentFileName(20, 'log'))
    await directory.close()
  })

  test('does nothing where nothing was left', async () => {
    const { place } = await logToClean()
    const before = place.fs.operations
    expect(await finishSwap(place.fs, '/data/t-0')).toEqual([])
    expect(place.fs.operations).toBe(before)
  })
})

test('aborted transactions stay aborted wherever the power is cut during a replacement', async () => {
  const random = new Random(seedFromEnvironment('segment-swap, aborted'))
  const place = simulatedPlace()
  const { directory, log } = await createLog(place)
  const producer = new TestProducer(3)
  await log.appendBatch(producer.batch(2, { isTransactional: true }))
  await log.appendBatch(producer.marker('abort'), { origin: 'coordinator' })
  await appendValues(log, 3)
  await log.roll()
  await log.flush()
  await directory.checkpoint()
  place.fs.settle()
  const writer = new CleanedSegmentWriter(log.directory, 0, { fs: place.fs })
  for await (const batch of log.reader({ from: 0 })) await writer.append(batch)
  writer.addAbortedTransaction({
    producerId: 3,
    firstOffset: 0,
    lastOffset: 2,
    lastStableOffset: 3,
  })
  await log.replaceSegments([await writer.finish(6)], log.segments().slice(0, 1))
  for (let moment = 0; moment <= place.fs.operations; moment++) {
    for (const variant of crashVariants(random, 2)) {
      const left = simulatedPlace(place.fs.crashState(moment, variant))
      const what = `after ${moment} operations, ${describeVariant(variant)}`
      const opened = await openDirectory(left)
      const offsets = await offsetsOf(opened.log('t', 0), { isolation: 'committed' })
      expect(offsets, what).toEqual([3, 4, 5])
      await opened.close()
    }
  }
  expect(await eventsOf({ name: 'varve:log:corruption' }, () => directory.close())).toEqual([])
})
