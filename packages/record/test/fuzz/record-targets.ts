import assert from 'node:assert/strict'
import {
  type Batch,
  controlTypeOf,
  decompress,
  emptyBatchOf,
  RecordBatch,
  readBatches,
  readEndTransactionMarker,
  VarveError,
} from '../../src/index.ts'
import { changedBatches, changedLegacyEntries, changedRecords, codecs } from './batch-inputs.ts'
import { changedStream, decompressedBytesMax } from './codec-inputs.ts'
import type { FuzzTarget } from './fuzz-target.ts'

/** Everything in this package that reads bytes. */
export const recordTargets: readonly FuzzTarget[] = [
  { name: 'noise', share: 5, make: (random) => random.bytes(random.size(400)), read: readAll },
  { name: 'batches', share: 32, make: changedBatches, read: readAll },
  { name: 'records', share: 33, make: changedRecords, read: readAll },
  { name: 'magic 0 and 1', share: 14, make: changedLegacyEntries, read: readAll },
  ...codecs.slice(1).map((codec): FuzzTarget => {
    return {
      name: codec,
      share: codec === 'gzip' || codec === 'zstd' ? 1 : 5,
      make: (random) => changedStream(random, codec),
      read(input, random) {
        const magic = random.pick([0, 1, 2] as const)
        const maxBytes = random.oneIn(8) ? random.size(4096) : decompressedBytesMax
        orTyped(() => {
          const output = decompress(codec, input, { magic, maxBytes })
          assert(output.length <= maxBytes, 'the limit holds')
        })
      },
    }
  }),
]

/** Does with bytes what readers do, all of it, and lets nothing but typed errors pass. */
function readAll(bytes: Buffer): void {
  orTyped(() => {
    for (const batch of readBatches(bytes)) {
      orTyped(() => batch.validate())
      orTyped(() => readHeader(batch))
      orTyped(() => readRecords(batch, bytes.length))
      if (batch instanceof RecordBatch) orTyped(() => void emptyBatchOf(batch))
    }
  })
}

/** Runs it; a typed error is as good an answer as any. */
export function orTyped(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    assert(error.message.length < 2000, 'an error does not quote its input at length')
  }
}

function readHeader(batch: Batch): void {
  assert(codecs.includes(batch.compressionType))
  assert(batch.baseOffset <= batch.lastOffset && batch.nextOffset === batch.lastOffset + 1)
  for (const number of [
    batch.baseOffset,
    batch.nextOffset,
    batch.leaderEpoch,
    batch.maxTimestamp,
    batch.producerId,
    batch.producerEpoch,
    batch.baseSequence,
    batch.lastSequence,
    batch.deleteHorizon ?? 0,
    batch.count ?? 0,
  ]) {
    assert(Number.isSafeInteger(number), 'a header holds exact numbers')
  }
}

function readRecords(batch: Batch, inputBytes: number): void {
  let previous = -1
  let size = 0
  for (const record of batch.records({ maxDecompressedBytes: decompressedBytesMax })) {
    assert(record.offset > previous && record.offset <= batch.lastOffset, 'offsets rise')
    previous = record.offset
    assert(Number.isSafeInteger(record.timestamp), 'a timestamp is exact')
    assert(Number.isSafeInteger(record.sequence), 'so is a sequence number')
    assert((record.key?.length ?? -1) === record.keySize)
    assert((record.value?.length ?? -1) === record.valueSize)
    for (const { key, value } of record.headers) size += key.length + (value?.length ?? 0)
    size += Math.max(record.keySize, 0) + Math.max(record.valueSize, 0)
    if (!batch.isControl) continue
    orTyped(() => void controlTypeOf(record))
    orTyped(() => void readEndTransactionMarker(record))
  }
  assert(size <= Math.max(inputBytes, decompressedBytesMax), 'views lie within the bytes')
}
