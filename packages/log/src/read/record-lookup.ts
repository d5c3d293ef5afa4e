import { type Batch, InvalidArgumentError, type LogRecord, type Offset } from '@varve/record'
import type { Isolation, ReadSource } from '../segments/read-source.ts'
import { committedOnly } from './committed-only.ts'
import { LogCursor } from './log-cursor.ts'
import type { PointReader } from './point-reader.ts'

/** How a single record is read. */
export interface ReadRecordOptions {
  /** @defaultValue 'uncommitted' */
  readonly isolation?: Isolation
  /**
   * Check the CRC of the batch that it is in, when that is read from its file; a batch that is in
   * memory was checked. @defaultValue true
   */
  readonly verifyChecksums?: boolean
}

/** As {@link findRecord}, at once; undefined where it takes longer. */
export function findRecordNow(
  source: ReadSource,
  points: PointReader,
  offset: Offset,
  options: ReadRecordOptions,
): LogRecord | null | undefined {
  checkRecordArguments(offset, options)
  const { isolation = 'uncommitted', verifyChecksums = true } = options
  const opened = points.open(offset, isolation, verifyChecksums)
  if (opened === null) return undefined
  if (!isReadable(source, opened.batch, isolation)) return null
  // Its memory is nobody's but the cache's.
  return opened.records.find(offset)?.detach() ?? null
}

/**
 * The record at an offset, with memory of its own. Null where there is none to be read: compacted
 * away, not visible yet, a marker of a transaction, or with `committed` a record of an aborted one.
 */
export async function findRecord(
  source: ReadSource,
  offset: Offset,
  options: ReadRecordOptions,
): Promise<LogRecord | null> {
  const { isolation = 'uncommitted', verifyChecksums = true } = options
  const cursor = new LogCursor(source, {
    from: offset,
    isolation,
    verifyChecksums,
    readsAhead: false,
    reusesMemory: false,
    select: (batches) => batches.slice(0, 1).filter((one) => isReadable(source, one, isolation)),
  })
  const [batch] = await cursor.next(1)
  return batch?.records().find(offset)?.detach() ?? null
}

function checkRecordArguments(offset: Offset, { isolation }: ReadRecordOptions): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new InvalidArgumentError('offset', offset, 'an offset is a non-negative integer')
  }
  if (isolation !== undefined && isolation !== 'uncommitted' && isolation !== 'committed') {
    throw new InvalidArgumentError('isolation', isolation, 'must be uncommitted or committed')
  }
}

function isReadable(source: ReadSource, batch: Batch, isolation: Isolation): boolean {
  if (batch.isControl) return false
  if (isolation === 'uncommitted' || !batch.isTransactional) return true
  return committedOnly(source, [batch]).length > 0
}
