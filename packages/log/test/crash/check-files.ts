import { type Batch, type Offset, readBatches } from '@varve/record'
import { decodeOffsetIndex } from '../../src/format/offset-index.ts'
import { decodeSegmentDigest, SpineDigest } from '../../src/format/segment-digest.ts'
import { listSegmentFiles, type SegmentFile } from '../../src/format/segment-listing.ts'
import { decodeTimeIndex } from '../../src/format/time-index.ts'
import { decodeTransactionIndex } from '../../src/format/transaction-index.ts'
import type { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'
import { promise } from './check-log.ts'
import { endedTransactions, type LedgerRecord } from './ledger.ts'

/**
 * Compares the derived files of a log that was closed with what they are derived from: every entry
 * of every index, and the digests of sealed segments. Looks at the files themselves, not through
 * the engine.
 */
export function checkFiles(
  fs: SimulatedFileSystem,
  directory: string,
  records: readonly LedgerRecord[],
): void {
  const files = listSegmentFiles(fs, directory)
  for (const { name, suffix } of files) {
    const isLeftOver = suffix !== '' && suffix !== '.broken'
    promise(!isLeftOver, directory, `${name} was left behind`)
  }
  const logs = files.filter(({ kind, suffix }) => kind === 'log' && suffix === '')
  for (const [index, log] of logs.entries()) {
    const batches = [...readBatches(fs.bytesOf(`${directory}/${log.name}`))]
    const isSealed = index < logs.length - 1
    checkSegment(fs, directory, log, { batches, isSealed, records })
  }
}

interface SegmentContent {
  readonly batches: readonly Batch[]
  readonly isSealed: boolean
  readonly records: readonly LedgerRecord[]
}

function checkSegment(
  fs: SimulatedFileSystem,
  directory: string,
  { baseOffset, name }: SegmentFile,
  { batches, isSealed, records }: SegmentContent,
): void {
  const stem = `${directory}/${name.slice(0, -'.log'.length)}`
  const derived = (kind: string): Buffer => {
    const path = `${stem}.${kind}`
    promise(fs.stat(path) !== null, stem, `there is no ${kind}`)
    return fs.bytesOf(path)
  }
  const maxBytes = 10 * 2 ** 20
  const offsets = decodeOffsetIndex(derived('index'), baseOffset, { maxBytes })
  promise(offsets.problem === null, stem, `index: ${offsets.problem?.reason}`)
  const lastOffsets = new Map(batches.map(({ position, lastOffset }) => [position, lastOffset]))
  for (let at = 0; at < offsets.index.count; at += 1) {
    const { offset, position } = offsets.index.entryAt(at)
    const isRight = lastOffsets.get(position) === offset
    promise(isRight, stem, `index entry ${offset}@${position} is wrong`)
  }
  const times = decodeTimeIndex(derived('timeindex'), baseOffset, { maxBytes })
  promise(times.problem === null, stem, `timeindex: ${times.problem?.reason}`)
  let latest = -1
  let passed = 0
  const passUntil = (offset: Offset): void => {
    for (let batch = batches[passed]; batch !== undefined; batch = batches[passed]) {
      if (batch.lastOffset > offset) return
      latest = Math.max(latest, batch.maxTimestamp)
      passed += 1
    }
  }
  for (let at = 0; at < times.index.count; at += 1) {
    const { timestamp, offset } = times.index.entryAt(at)
    passUntil(offset)
    promise(latest === timestamp, stem, `timeindex entry ${timestamp}@${offset} is wrong`)
  }
  passUntil(Number.POSITIVE_INFINITY)
  promise((times.index.lastEntry?.timestamp ?? -1) === latest, stem, 'the timeindex is incomplete')
  checkTransactionIndex(fs, stem, baseOffset, batches, records)
  if (isSealed) checkDigest(derived('digest'), stem, batches)
}

function checkTransactionIndex(
  fs: SimulatedFileSystem,
  stem: string,
  baseOffset: Offset,
  batches: readonly Batch[],
  records: readonly LedgerRecord[],
): void {
  const path = `${stem}.txnindex`
  const bytes = fs.stat(path) === null ? Buffer.alloc(0) : fs.bytesOf(path)
  const { index, problem } = decodeTransactionIndex(bytes, baseOffset)
  promise(problem === null, stem, `txnindex: ${problem?.reason}`)
  const end = batches.at(-1)?.nextOffset ?? baseOffset
  const expected = endedTransactions(records)
    .filter(({ isAborted, lastOffset }) => {
      return isAborted && lastOffset >= baseOffset && lastOffset < end
    })
    .map((transaction) => JSON.stringify(transaction))
  const found: string[] = []
  for (let at = 0; at < index.count; at += 1) {
    const { producerId, firstOffset, lastOffset, lastStableOffset } = index.entryAt(at)
    const entry = { producerId, firstOffset, lastOffset, lastStableOffset, isAborted: true }
    found.push(JSON.stringify(entry))
  }
  promise(found.join() === expected.join(), stem, `txnindex holds ${found}, not ${expected}`)
}

function checkDigest(bytes: Buffer, stem: string, batches: readonly Batch[]): void {
  const digest = decodeSegmentDigest(bytes, stem)
  const spine = new SpineDigest()
  let sizeBytes = 0
  for (const batch of batches) {
    spine.add(batch.bytes)
    sizeBytes += batch.sizeBytes
  }
  const isRight =
    digest.sizeBytes === sizeBytes &&
    digest.batches === batches.length &&
    digest.spineCrc32c === spine.value
  promise(isRight, stem, 'the digest is of another segment')
}
