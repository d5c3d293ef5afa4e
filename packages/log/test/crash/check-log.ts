import { controlTypeOf, type Offset, RecordBatch } from '@varve/record'
import type { Log } from '../../src/log.ts'
import type { Random } from '../../src/testing/random.ts'
import {
  endedTransactions,
  type FoundLog,
  firstUndecided,
  foundRecord,
  isApplied,
  type LedgerRecord,
  type LogExpectation,
} from './ledger.ts'

/** What was found is not what was promised. */
export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError'
}

/** The newest batch of a producer, to be sent again. */
export interface ProducedBatch {
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly bytes: Buffer
}

export interface ReadLog extends FoundLog {
  readonly newestBatches: ReadonlyMap<number, ProducedBatch>
}

/** Reads a whole log, both ways, and asks it for offsets and timestamps at random. */
export async function readLog(log: Log, random: Random): Promise<ReadLog> {
  const { logStartOffset, logEndOffset, lastStableOffset, highWatermark, name } = log
  const records: LedgerRecord[] = []
  const newestBatches = new Map<number, ProducedBatch>()
  const batchEnds: Array<{ readonly baseOffset: Offset; readonly lastOffset: Offset }> = []
  for await (const batch of log.reader({ from: logStartOffset })) {
    const { baseOffset, lastOffset, producerId } = batch
    batchEnds.push({ baseOffset, lastOffset })
    for (const record of batch.records()) {
      const control = batch.isControl ? endOf(controlTypeOf(record)) : null
      if (record.offset >= logStartOffset) records.push(foundRecord(record, batch, control))
    }
    if (producerId >= 0 && !batch.isControl) {
      newestBatches.set(producerId, { baseOffset, lastOffset, bytes: Buffer.from(batch.bytes) })
    }
  }
  const committed: Offset[] = []
  for await (const batch of log.reader({ from: logStartOffset, isolation: 'committed' })) {
    if (batch.isControl) continue
    for (const { offset } of batch.records()) if (offset >= logStartOffset) committed.push(offset)
  }
  promise(highWatermark === logEndOffset, name, 'a log that was just opened is visible to its end')
  await checkOffsets(log, batchEnds, random)
  await checkTimestamps(log, records, random)
  return { name, logStartOffset, logEndOffset, lastStableOffset, records, committed, newestBatches }
}

/** Reading from any offset begins with the batch that holds it, or the next one. */
async function checkOffsets(
  log: Log,
  batches: ReadonlyArray<{ readonly baseOffset: Offset; readonly lastOffset: Offset }>,
  random: Random,
): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    const from = random.between(log.logStartOffset, log.logEndOffset)
    const { batches: read } = await log.read({ from, maxBytes: 1 })
    const expected = batches.find(({ lastOffset }) => lastOffset >= from)
    const isRight = read[0]?.baseOffset === expected?.baseOffset
    promise(isRight, log.name, `reading from ${from} began at ${read[0]?.baseOffset}`)
  }
}

async function checkTimestamps(
  log: Log,
  records: readonly LedgerRecord[],
  random: Random,
): Promise<void> {
  if (records.length === 0) return
  for (let times = 0; times < 3; times += 1) {
    const timestamp = random.pick(records).timestamp + random.between(-15, 15)
    const found = await log.offsetForTimestamp(timestamp)
    const expected = records.find(
      (record) => record.control === null && record.timestamp >= timestamp,
    )
    const isRight = found?.offset === expected?.offset
    promise(isRight, log.name, `timestamp ${timestamp}: ${found?.offset}, not ${expected?.offset}`)
  }
}

/** Compares what was found with what was promised. Throws BrokenPromiseError. */
export function checkPromises(found: FoundLog, expected: LogExpectation): void {
  const { name, logStartOffset, logEndOffset, records } = found
  const { endMin, startMin, startMax } = expected
  promise(logEndOffset >= endMin, name, `it ends at ${logEndOffset}, ${endMin} was acknowledged`)
  promise(logEndOffset <= expected.records.length, name, `it ends at ${logEndOffset}, too late`)
  promise(logStartOffset >= startMin, name, `it starts at ${logStartOffset}, not ${startMin}`)
  promise(logStartOffset <= startMax, name, `it starts at ${logStartOffset}, not ${startMax}`)
  const removed = new Set<Offset>()
  for (const replacement of expected.replacements) {
    const isDone = replacement.state === 'applied' || isApplied(replacement.removed, found)
    if (isDone) for (const offset of replacement.removed) removed.add(offset)
  }
  let index = 0
  for (let offset = logStartOffset; offset < logEndOffset; offset += 1) {
    if (removed.has(offset)) continue
    const record = records[index]
    const wanted = expected.records[offset]
    index += 1
    promise(record?.offset === offset, name, `offset ${offset} expected, ${record?.offset} found`)
    if (record?.fingerprint === wanted?.fingerprint) continue
    promise(false, name, `offset ${offset} is ${record?.fingerprint}, not ${wanted?.fingerprint}`)
  }
  promise(index === records.length, name, `${records[index]?.offset} was found and not expected`)
  checkTransactions(found, expected)
}

function checkTransactions(found: FoundLog, expected: LogExpectation): void {
  const { name, logStartOffset, logEndOffset } = found
  const known = expected.records.slice(0, logEndOffset)
  const undecided = firstUndecided(known) ?? logEndOffset
  const stable = Math.max(undecided, logStartOffset)
  promise(
    found.lastStableOffset === stable,
    name,
    `${found.lastStableOffset} stable, not ${stable}`,
  )
  const aborted = endedTransactions(known).filter(({ isAborted }) => isAborted)
  const committed = found.records.filter(({ offset, producerId, isTransactional, control }) => {
    if (offset >= stable || control !== null) return false
    const isAborted = aborted.some(
      (transaction) =>
        transaction.producerId === producerId &&
        offset >= transaction.firstOffset &&
        offset <= transaction.lastOffset,
    )
    return !(isTransactional && isAborted)
  })
  const offsets = committed.map(({ offset }) => offset).join()
  const given = found.committed.join()
  promise(given === offsets, name, `committed records are ${offsets}, given were ${given}`)
}

/** Sends the newest batch of every producer again: the log must know it. */
export async function checkResending(
  log: Log,
  read: ReadLog,
  expected: LogExpectation,
): Promise<void> {
  const known = expected.records.slice(0, read.logEndOffset)
  for (const [producerId, { baseOffset, lastOffset, bytes }] of read.newestBatches) {
    const batch = new RecordBatch(Buffer.from(bytes))
    // Compaction may have taken a newer batch, or part of this one.
    const newest = known.findLast((record) => {
      return record.producerId === producerId && record.control === null
    })
    if (newest?.offset !== lastOffset || batch.count !== lastOffset - baseOffset + 1) continue
    const result = await log.appendBatch(batch)
    const isKnown = result.isDuplicate && result.baseOffset === baseOffset
    promise(isKnown, log.name, `producer ${producerId}'s batch at ${baseOffset} was not known`)
  }
}

export function promise(isKept: boolean, name: string, what: string): void {
  if (!isKept) throw new BrokenPromiseError(`${name}: ${what}`)
}

function endOf(type: string): 'commit' | 'abort' | null {
  return type === 'commit' || type === 'abort' ? type : null
}
