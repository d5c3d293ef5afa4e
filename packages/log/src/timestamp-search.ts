import type { Offset, Timestamp } from '@varve/record'
import { LogCursor } from './log-cursor.ts'
import type { ReadableSegment, ReadSource } from './read-source.ts'

/** A record found by its timestamp. */
export interface FoundOffset {
  readonly offset: Offset
  readonly timestamp: Timestamp
}

const searchBytes = 64 * 1024

/**
 * The first visible record whose timestamp is at least `timestamp`, as Kafka finds it: the first
 * segment that has one so late, the place that its time index gives, and then record by record.
 */
export async function findOffsetByTimestamp(
  source: ReadSource,
  timestamp: Timestamp,
): Promise<FoundOffset | null> {
  let segment = source.segmentFor(source.logStartOffset)
  while (segment !== null) {
    if (segment.maxTimestamp >= timestamp) {
      const found = await findInSegment(source, segment, timestamp)
      if (found !== null) return found
    }
    segment = source.segmentAfter(segment.baseOffset)
  }
  return null
}

async function findInSegment(
  source: ReadSource,
  segment: ReadableSegment,
  timestamp: Timestamp,
): Promise<FoundOffset | null> {
  const { offset, expectedTimestamp } = segment.seekTimestamp(timestamp)
  const isRight =
    expectedTimestamp === null ||
    offset < source.logStartOffset ||
    (await maxTimestampAt(source, offset)) === expectedTimestamp
  // A time index that says something else than the log would make the search start too late.
  const from = Math.max(isRight ? offset : segment.baseOffset, source.logStartOffset)
  const cursor = new LogCursor(source, { from, isolation: 'uncommitted', verifyChecksums: true })
  while (cursor.nextOffset < segment.nextOffset) {
    const batches = await cursor.next(searchBytes)
    if (batches.length === 0) return null
    for (const batch of batches) {
      if (batch.maxTimestamp < timestamp || batch.isControl) continue
      for (const record of batch.records()) {
        // Not compared with `from`: the index names the last offset of a batch, the record that it
        // means may come before that one.
        if (record.timestamp < timestamp || record.offset < source.logStartOffset) continue
        return { offset: record.offset, timestamp: record.timestamp }
      }
    }
  }
  return null
}

/** The largest timestamp of the batch that holds an offset; null when the log does not have it. */
async function maxTimestampAt(source: ReadSource, offset: Offset): Promise<Timestamp | null> {
  if (offset >= source.highWatermark) return null
  const from = { from: offset, isolation: 'uncommitted', verifyChecksums: true } as const
  const [batch] = await new LogCursor(source, from).next(1)
  return batch === undefined || batch.lastOffset < offset ? null : batch.maxTimestamp
}
