import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Log } from '../../src/log.ts'
import { CleanedSegmentWriter } from '../../src/segments/cleaned-segment-writer.ts'
import { isSystemError } from '../../src/storage/file-system.ts'
import {
  batchOf,
  createLog,
  type Place,
  places,
  removePlace,
  simulatedPlace,
} from '../log-fixture.ts'
import { checkProperty } from '../property.ts'

/** Above this the pool reads, and reads ahead. */
const pooledBytes = 64 * 1024

/** Appends a batch of about each size, its value all of one byte that no neighbour has. */
async function appendSizes(log: Log, sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    const value = Buffer.alloc(size, log.logEndOffset % 251)
    await log.appendBatch(batchOf([{ value }]), { acks: 'written' })
  }
}

/** What a value says of itself, and whether all of it says the same. */
function stampOf(value: Buffer | null): number {
  if (value === null || value.length === 0) return -1
  return value.equals(Buffer.alloc(value.length, value[0])) ? (value[0] ?? -1) : -2
}

const fifty = Array.from({ length: 50 }, () => 20_000)

describe.each(places)('what a reader reads, on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test('stays as it was, when its memory is its own', async () => {
    place = makePlace()
    const { log } = await createLog(place)
    await appendSizes(log, fifty)
    const kept = []
    for await (const batch of log.reader({ from: 0, maxBytes: 2 * pooledBytes })) kept.push(batch)
    const stamps = kept.flatMap((batch) => [...batch.records()].map(({ value }) => stampOf(value)))
    expect(stamps).toEqual(fifty.map((_, offset) => offset))
  })

  test('lies in two buffers that take turns, when memory is reused', async () => {
    place = makePlace()
    const { log } = await createLog(place)
    await appendSizes(log, fifty)
    const memories = new Set<ArrayBufferLike>()
    const stamps: number[] = []
    const reader = log.reader({ from: 0, maxBytes: 2 * pooledBytes, reuseMemory: true })
    for await (const { value } of reader.records()) {
      stamps.push(stampOf(value))
      if (value !== null) memories.add(value.buffer)
    }
    expect(stamps).toEqual(fifty.map((_, offset) => offset))
    expect(memories.size).toBe(2)
  })

  test('is what stands there now, when compaction replaced what was read ahead', async () => {
    place = makePlace()
    const { log } = await createLog(place)
    await appendSizes(log, fifty)
    await log.roll()
    const reader = log.reader({ from: 0, maxBytes: 2 * pooledBytes })
    const first = (await reader.nextBatches()) ?? []
    const seen = first.map(({ baseOffset }) => baseOffset)
    const replaced = log.segments().slice(0, 1)
    const writer = new CleanedSegmentWriter(log.directory, 0, { fs: place.fs })
    for await (const batch of log.reader({ from: 0 })) {
      if (batch.baseOffset % 2 === 0) await writer.append(batch)
    }
    await log.replaceSegments([await writer.finish(50)], replaced)
    for await (const { offset } of reader.records()) seen.push(offset)
    const next = first.length
    expect(seen.slice(next)).toEqual(
      Array.from({ length: 50 - next }, (_, index) => next + index).filter((at) => at % 2 === 0),
    )
  })
})

describe('reading ahead', () => {
  test('fails when its turn has come, not before, and reading can go on', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place)
    await appendSizes(log, fifty)
    const reader = log.reader({ from: 0, maxBytes: 2 * pooledBytes })
    // The first read, and with it the second is under way.
    place.fs.injectFault({ kind: 'EIO', counting: 'calls', after: 2 })
    const first = await reader.nextBatches()
    expect(first?.[0]?.baseOffset).toBe(0)
    const second = await reader.nextBatches().catch((error: unknown) => error)
    const third = await reader.nextBatches().catch((error: unknown) => error)
    place.fs.clearFaults()
    const failures = [second, third].filter((outcome) => outcome instanceof Error)
    expect(failures.length).toBe(1)
    const offsets: number[] = []
    for await (const { offset } of log.reader({ from: 0 }).records()) offsets.push(offset)
    expect(offsets.length).toBe(50)
  })

  test('that nobody asks for any more is nobody’s failure', async () => {
    const place = simulatedPlace()
    const { log, directory } = await createLog(place)
    await appendSizes(log, fifty)
    const unhandled: unknown[] = []
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    try {
      const reader = log.reader({ from: 0, maxBytes: 2 * pooledBytes })
      place.fs.injectFault({ kind: 'EIO', counting: 'calls', after: 1, isLasting: true })
      await reader.nextBatches().catch((error: unknown) => {
        if (!isSystemError((error as Error).cause, 'EIO')) throw error
      })
      await reader.return()
      place.fs.clearFaults()
      await new Promise((resolve) => setImmediate(resolve))
      await directory.close()
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', listen)
    }
  })

  test('gives the same records as not reading ahead, whatever the sizes', async () => {
    const input = fc.record({
      sizes: fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 12 }),
      maxBytes: fc.integer({ min: 1, max: 3 * pooledBytes }),
      from: fc.nat({ max: 11 }),
      reuseMemory: fc.boolean(),
    })
    await checkProperty(input, 60, async ({ sizes, maxBytes, from, reuseMemory }) => {
      const { log, directory } = await createLog(simulatedPlace())
      await appendSizes(log, sizes)
      const start = Math.min(from, sizes.length)
      const found: Array<readonly [number, number, number]> = []
      const reader = log.reader({ from: start, maxBytes, reuseMemory })
      for await (const { offset, value } of reader.records()) {
        found.push([offset, value?.length ?? -1, stampOf(value)])
      }
      const expected = sizes.map((size, offset) => [offset, size, size === 0 ? -1 : offset % 251])
      expect(found).toEqual(expected.slice(start))
      await directory.close()
    })
  })
})
