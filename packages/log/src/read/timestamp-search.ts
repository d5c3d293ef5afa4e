import { InvalidArgumentError, type Offset, type Timestamp } from '@varve/record'
import type { SegmentInfo } from '../base/segment-info.ts'
import type { ReadableSegment, ReadSource } from '../segments/read-source.ts'
import { LogCursor } from './log-cursor.ts'

/** A record found by its timestamp. */
export interface FoundOffset {
  readonly offset: Offset
  readonly timestamp: Timestamp
}

const searchBytes = 64 * 1024

/**
 * The first visible record whose timestamp is at least `timestamp`, as Kafka finds it: the first
 * segment that has one so late, the place that its time index gives, and then record by record. The
 * segment is found by halving; only where it has no such record that can be seen (its latest ones
 * lie before the log start offset, or are control records) those behind it are looked at in turn.
 */
export async function findOffsetByTimestamp(
  source: ReadSource,
  timestamp: Timestamp,
): Promise<FoundOffset | null> {
  // What is no number is less than nothing: that there is no such record would be a wrong answer.
  if (typeof timestamp !== 'number' || Number.isNaN(timestamp)) {
    throw new InvalidArgumentError('timestamp', timestamp, 'must be milliseconds since 1970')
  }
  let segment = await source.segmentReaching(timestamp)
  if (segment !== null && segment.nextOffset <= source.logStartOffset) {
    segment = source.segmentFor(source.logStartOffset)
  }
  while (segment !== null) {
    if (segment.maxTimestamp >= timestamp) {
      const found = await findInSegment(source, segment, timestamp)
      if (found !== null) return found
    }
    segment = source.segmentAfter(segment.baseOffset)
  }
  return null
}

/**
 * The visible record with the largest timestamp, the first of those that have it; null where there
 * is no record.
 *
 * @param segments those of the log
 */
export async function findLatestRecord(
  source: ReadSource,
  segments: readonly SegmentInfo[],
): Promise<FoundOffset | null> {
  const [latest, ...others] = segments.toSorted((a, b) => b.maxTimestamp - a.maxTimestamp)
  if (latest === undefined) return null
  const found = await findOffsetByTimestamp(source, latest.maxTimestamp)
  if (found !== null) return found
  // It is that of a control record, or of one that cannot be seen: what is there has to be read.
  let best: FoundOffset | null = null
  for (const { baseOffset, nextOffset, maxTimestamp } of [latest, ...others]) {
    if (best !== null && best.timestamp >= maxTimestamp) break
    best = await latestIn(source, baseOffset, nextOffset, best)
  }
  return best
}

/** The latest of a segment's records, unless one that is known already is as late. */
async function latestIn(
  source: ReadSource,
  baseOffset: Offset,
  nextOffset: Offset,
  known: FoundOffset | null,
): Promise<FoundOffset | null> {
  let best = known
  const cursor = searchCursor(source, Math.max(baseOffset, source.logStartOffset))
  while (cursor.nextOffset < nextOffset) {
    const batches = await cursor.next(searchBytes)
    if (batches.length === 0) break
    for (const batch of batches) {
      if (batch.isControl || batch.maxTimestamp <= (best?.timestamp ?? -1)) continue
      for (const { offset, timestamp } of batch.records()) {
        if (offset < source.logStartOffset || timestamp <= (best?.timestamp ?? -1)) continue
        best = { offset, timestamp }
      }
    }
  }
  return best
}

function searchCursor(source: ReadSource, from: Offset): LogCursor {
  return new LogCursor(source, {
    from,
    isolation: 'uncommitted',
    verifyChecksums: true,
    readsAhead: false,
    reusesMemory: false,
  })
}

async function findInSegment(
  source: ReadSource,
  segment: ReadableSegment,
  timestamp: Timestamp,
): Promise<FoundOffset | null> {
  const from = Math.max(segment.seekTimestamp(timestamp), source.logStartOffset)
  const cursor = searchCursor(source, from)
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
