import assert from 'node:assert/strict'
import { type Batch, VarveError } from '@varve/record'
import { changedBatches } from '../../../record/test/fuzz/batch-inputs.ts'
import type { FuzzRandom } from '../../../record/test/fuzz/fuzz-random.ts'
import type { FuzzTarget } from '../../../record/test/fuzz/fuzz-target.ts'
import { orTyped } from '../../../record/test/fuzz/record-targets.ts'
import { lastTimestamp, lookupTimestamp } from '../../src/format/index-lookup.ts'
import { IndexPages } from '../../src/format/index-pages.ts'
import type { IndexProblem } from '../../src/format/index-problem.ts'
import { LeaderEpochCache } from '../../src/format/leader-epoch-cache.ts'
import { decodeOffsetCheckpoint } from '../../src/format/offset-checkpoint.ts'
import { decodeOffsetIndex } from '../../src/format/offset-index.ts'
import { decodePartitionMetadata } from '../../src/format/partition-metadata.ts'
import {
  decodeProducerSnapshot,
  encodeProducerSnapshot,
} from '../../src/format/producer-snapshot.ts'
import { ProgressFile } from '../../src/format/progress-file.ts'
import { decodeSegmentDigest } from '../../src/format/segment-digest.ts'
import { scanBatches } from '../../src/format/segment-scan.ts'
import { decodeTimeIndex } from '../../src/format/time-index.ts'
import { decodeTransactionIndex } from '../../src/format/transaction-index.ts'
import { ProducerStateManager } from '../../src/producers/producer-state.ts'
import {
  isActiveDigestFileName,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  partitionDirectoryName,
  segmentFileName,
} from '../../src/storage/file-names.ts'
import { ReadCache } from '../../src/storage/read-cache.ts'
import { BytesFile } from './bytes-file.ts'
import {
  baseOffset,
  changedDigest,
  changedIndex,
  changedProgress,
  changedSnapshot,
  changedText,
  samples,
} from './file-samples.ts'

const path = '/data/orders-0/file'
const targets = [0, 999, 1000, 1001, 1500, 7000, 2 ** 31, 2 ** 53 - 1]

/** Everything in this package that reads the bytes of one file. */
export const fileTargets: readonly FuzzTarget[] = [
  {
    name: 'offset index',
    share: 14,
    make: (random) => changedIndex(random, samples.offsetIndexes),
    read: readOffsetIndex,
  },
  {
    name: 'time index',
    share: 14,
    make: (random) => changedIndex(random, samples.timeIndexes),
    read: readTimeIndex,
  },
  {
    name: 'transaction index',
    share: 14,
    make: (random) => changedIndex(random, samples.transactionIndexes),
    read: readTransactionIndex,
  },
  { name: 'producer snapshot', share: 14, make: changedSnapshot, read: readSnapshot },
  {
    name: 'checkpoint',
    share: 12,
    make: (random) => changedText(random, samples.texts),
    read: readTexts,
  },
  { name: 'digest', share: 10, make: changedDigest, read: readTexts },
  { name: 'progress', share: 10, make: changedProgress, read: readProgress },
  {
    name: 'names',
    share: 8,
    make: (random) => changedText(random, samples.names),
    read: readNames,
  },
  { name: 'scan', share: 4, make: changedBatches, read: scan },
]

function readOffsetIndex(bytes: Buffer): void {
  const file = {
    indexBytes: () => bytes.length,
    readIndex: (target: Buffer, position: number) => bytes.copy(target, 0, position),
  }
  const pages = new IndexPages(new ReadCache(2 ** 16), file, baseOffset)
  for (const target of targets) {
    const found = pages.around(target, 2 ** 31 - 1)
    assert(found.floorOffset <= Math.max(target, -1) && found.floorPosition < 2 ** 31)
    assert(found.ceilingPosition === -1 || found.ceilingPosition > found.floorPosition)
    assert(found.endPosition > found.floorPosition)
  }
  const { index, problem } = decodeOffsetIndex(bytes, baseOffset)
  assertSound(problem, index.count, index.sizeBytes, bytes)
  let previous = { offset: baseOffset - 1, position: -1 }
  for (let entry = 0; entry < index.count; entry++) {
    const next = index.entryAt(entry)
    assert(next.offset > previous.offset && next.position > previous.position, 'columns rise')
    previous = next
  }
  for (const target of targets) {
    if (target < baseOffset) continue
    assert(index.lookup(target).offset <= target)
  }
}

function readTimeIndex(bytes: Buffer): void {
  const file = new BytesFile(bytes)
  for (const target of targets) lookupTimestamp(file, bytes.length, baseOffset, target)
  const last = lastTimestamp(file, bytes.length)
  assert(last === null || typeof last === 'number')
  const { index, problem } = decodeTimeIndex(bytes, baseOffset)
  assertSound(problem, index.count, index.sizeBytes, bytes)
  for (let entry = 0; entry < index.count; entry++) {
    const { timestamp, offset } = index.entryAt(entry)
    assert(Number.isSafeInteger(timestamp) && offset >= baseOffset, 'entries are exact')
  }
  for (const target of targets) index.lookup(target)
}

function readTransactionIndex(bytes: Buffer): void {
  const { index, problem } = decodeTransactionIndex(bytes, baseOffset)
  assertSound(problem, index.count, index.sizeBytes, bytes)
  for (let entry = 0; entry < index.count; entry++) {
    for (const number of Object.values(index.entryAt(entry))) assert(Number.isSafeInteger(number))
  }
  for (const target of targets) index.collect(target, target + 10)
}

function assertSound(
  problem: IndexProblem | null,
  count: number,
  sizeBytes: number,
  bytes: Buffer,
): void {
  assert(sizeBytes <= bytes.length, 'an index holds no more than its file')
  assert((problem === null) === (sizeBytes === bytes.length), 'what is left out is reported')
  assert(problem === null || (problem.entry === count && problem.position === sizeBytes))
}

function readSnapshot(bytes: Buffer): void {
  orTyped(() => {
    const producers = decodeProducerSnapshot(bytes, path)
    const manager = new ProducerStateManager()
    manager.load(producers, 100)
    manager.firstUnstableOffset()
    manager.expire(1_800_000_000_000, 1000)
    encodeProducerSnapshot(producers)
  })
}

function readTexts(bytes: Buffer): void {
  orTyped(() => void decodeOffsetCheckpoint(bytes, path))
  orTyped(() => void decodePartitionMetadata(bytes, path))
  orTyped(() => void decodeSegmentDigest(bytes, path))
  orTyped(() => {
    const cache = LeaderEpochCache.decode(bytes, path)
    cache.truncateFromStart(10)
    cache.truncateFromEnd(30)
    cache.encode()
  })
}

function readProgress(bytes: Buffer): void {
  const progress = ProgressFile.read(bytes)
  if (progress === null) return
  for (const number of Object.values(progress)) assert(Number.isSafeInteger(number) && number >= 0)
}

function readNames(bytes: Buffer): void {
  const name = bytes.toString('latin1')
  const segment = parseSegmentFileName(name)
  if (segment !== null) {
    assert(segmentFileName(segment.baseOffset, segment.kind, segment.suffix) === name)
  }
  const partition = parsePartitionDirectoryName(name)
  if (partition?.state === 'live') {
    assert(partitionDirectoryName(partition.topic, partition.partition) === name)
  }
  isActiveDigestFileName(name)
}

/** Through the scan that recovery, verification and compaction read with. */
async function scan(bytes: Buffer, random: FuzzRandom): Promise<void> {
  const producers = new ProducerStateManager()
  const visit = (batch: Batch): boolean => {
    producers.update(batch)
    return true
  }
  try {
    const end = await scanBatches(new BytesFile(bytes), visit, { validate: random.oneIn(2) })
    assert(end.position <= bytes.length)
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
  }
}
