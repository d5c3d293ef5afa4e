import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Batch, controlTypeOf, readBatches, readEndTransactionMarker } from '@varve/record'
import type { DumpedBatch, DumpedRecord } from '../../src/kafka/dump-log-parser.ts'
import { type PlainRecord, plainRecord } from '../../src/kafka/plain-record.ts'

/** Names of a directory's `.log` files, in order of their offsets. */
export function logFileNames(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => /^\d{20}\.log$/.test(name))
    .sort()
}

/** All batches of a file, checked, as `kafka-dump-log` describes them. */
export function batchesOfFile(path: string): readonly DumpedBatch[] {
  return Array.from(checkedBatches(path), describeBatch)
}

/** What a consumer that reads everything would get of a partition: no control records. */
export function recordsOfPartition(directory: string): readonly PlainRecord[] {
  const batches = logFileNames(directory).flatMap((name) => [
    ...checkedBatches(join(directory, name)),
  ])
  const data = batches.filter((batch) => !batch.isControl)
  return data.flatMap((batch) => Array.from(batch.records(), plainRecord))
}

/** The incomplete batch at the end of a file that is being written is left out. */
function* checkedBatches(path: string): Generator<Batch> {
  for (const batch of readBatches(readFileSync(path), 0)) {
    batch.validate()
    yield batch
  }
}

function describeBatch(batch: Batch): DumpedBatch {
  const records = Array.from(batch.records(), (record): DumpedRecord => {
    const plain = plainRecord(record)
    const isMarker = batch.isControl && ['abort', 'commit'].includes(controlTypeOf(record))
    const marker = isMarker ? readEndTransactionMarker(record) : null
    return {
      offset: record.offset,
      timestampType: batch.timestampType,
      timestamp: record.timestamp,
      keySize: record.keySize,
      valueSize: record.valueSize,
      sequence: record.sequence,
      headerKeys: record.headers.map((header) => header.key).join(','),
      key: batch.isControl ? null : plain.key,
      value: batch.isControl ? null : plain.value,
      endTransactionMarker: marker && {
        type: marker.type.toUpperCase(),
        coordinatorEpoch: marker.coordinatorEpoch,
      },
    }
  })
  return {
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    count: batch.count ?? records.length,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    partitionLeaderEpoch: batch.leaderEpoch,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    deleteHorizonMs: batch.deleteHorizon,
    position: batch.position,
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    size: batch.sizeBytes,
    magic: batch.magic,
    compressionType: batch.compressionType,
    crc: batch.crc,
    isValid: batch.isChecksumValid(),
    records,
  }
}
