import { createHash } from 'node:crypto'
import type { LogRecord } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { openLogReadOnly } from '../src/read/read-only-log.ts'
import { type Fixture, fixturesMissing, kafkaFixture, kafkaFixtures } from './kafka-fixtures.ts'
import {
  appendValues,
  offsetsOf,
  openDirectory,
  type readAll,
  reopenLog,
  simulatedPlace,
} from './log-fixture.ts'

/** A data directory with the partition directory of a fixture as `t-0`. */
function placeOf(fixture: Fixture, options: { readonly isClean: boolean }) {
  const place = simulatedPlace()
  for (const file of fixture.files) place.fs.writeBytes(`/data/t-0/${file}`, fixture.read(file))
  if (options.isClean) place.fs.writeBytes('/data/.kafka_cleanshutdown', Buffer.alloc(0))
  return place
}

interface ExpectedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly control: boolean
  readonly transactional: boolean
  readonly leaderEpoch: number
  readonly records: readonly unknown[]
}

function expectedBatches(fixture: Fixture): ExpectedBatch[] {
  const lines = fixture.expected.filter(({ type }) => type === 'batch')
  return lines.map((line) => line as unknown as ExpectedBatch)
}

/** A value over 256 bytes stands in the fixture as its length and digest. */
function described(bytes: Buffer | null): unknown {
  if (bytes === null || bytes.length <= 256) return bytes?.toString('base64') ?? null
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

function describedRecord({ offset, timestamp, sequence, key, value, headers }: LogRecord): unknown {
  return {
    offset,
    timestamp,
    sequence,
    key: described(key),
    value: described(value),
    headers: headers.map((header) => [described(Buffer.from(header.key)), described(header.value)]),
  }
}

async function recordsIn(log: Parameters<typeof readAll>[0]): Promise<unknown[]> {
  const records: unknown[] = []
  for await (const record of log.reader({ from: 0 }).records())
    records.push(describedRecord(record))
  return records
}

describe('a directory that Kafka wrote', () => {
  test.for([true, false])(
    'opens with the records that Kafka reads of it (clean: %s)',
    async (isClean, context) => {
      if (fixturesMissing !== null) return context.skip(fixturesMissing)
      expect(kafkaFixtures().length).toBeGreaterThanOrEqual(11)
      for (const fixture of kafkaFixtures()) {
        const expected = expectedBatches(fixture).flatMap(({ records }) => records)
        const place = placeOf(fixture, { isClean })
        const reader = await openLogReadOnly('/data/t-0', { fs: place.fs })
        expect(await recordsIn(reader), fixture.name).toEqual(expected)
        await reader.close()
        const { directory, log } = await reopenLog(place)
        expect(log.recoveryReport, fixture.name).toMatchObject({ clean: isClean, cut: null })
        expect(await recordsIn(log), fixture.name).toEqual(expected)
        for (const { baseOffset, lastOffset } of expectedBatches(fixture)) {
          const [batch] = (await log.read({ from: lastOffset, maxBytes: 1 })).batches
          expect([batch?.baseOffset, batch?.lastOffset]).toEqual([baseOffset, lastOffset])
        }
        // And goes on: with Varve's records behind Kafka's, over a clean restart.
        const end = log.logEndOffset
        await appendValues(log, 3)
        await directory.close()
        const again = await reopenLog(place)
        expect(again.log.recoveryReport).toMatchObject({ clean: true, scannedBytes: 0 })
        expect(await offsetsOf(again.log, { from: end })).toEqual([end, end + 1, end + 2])
        await again.directory.close()
      }
    },
  )

  test('with transactions is read as committed as Kafka reads it', async (context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    const fixture = kafkaFixture('txn-0')
    const aborted = fixture.expected
      .filter(({ type }) => type === 'txnindex')
      .flatMap(
        (line) =>
          line['entries'] as { producerId: number; firstOffset: number; lastOffset: number }[],
      )
    expect(aborted.length).toBe(3)
    const isAborted = (batch: ExpectedBatch & { readonly producerId?: number }): boolean =>
      batch.transactional &&
      aborted.some(
        ({ producerId, firstOffset, lastOffset }) =>
          producerId === batch.producerId &&
          batch.baseOffset >= firstOffset &&
          batch.lastOffset <= lastOffset,
      )
    // One transaction is open, from offset 12 on.
    const visible = expectedBatches(fixture)
      .filter((batch) => !batch.control && !isAborted(batch) && batch.lastOffset < 12)
      .flatMap(({ records }) => records as { offset: number }[])
      .map(({ offset }) => offset)
    for (const isClean of [true, false]) {
      const place = placeOf(fixture, { isClean })
      const reader = await openLogReadOnly('/data/t-0', { fs: place.fs })
      expect(await offsetsOf(reader, { isolation: 'committed' })).toEqual(visible)
      await reader.close()
      const directory = await openDirectory(place)
      const log = directory.log('t', 0)
      expect(log.lastStableOffset).toBe(12)
      expect(await offsetsOf(log, { isolation: 'committed' })).toEqual(visible)
      const read = await log.read({ from: 0, isolation: 'committed', maxBytes: 1e6 })
      expect(read.lastStableOffset).toBe(12)
      await directory.close()
    }
  })
})
