import { crc32c, decrementSequence, VarveError } from '@varve/record'
import { readInt64, writeInt64 } from '../base/int64.ts'
import type { ProducerStateInfo } from './producer-entry.ts'

// Kafka's producer snapshot, `<offset20>.snapshot`: what is known of all producers below an offset.
//
//   int16   version                1
//   uint32  CRC-32C                of all that follows
//   int32   number of entries
//
// and for every producer
//
//   int64   producerId
//   int16   epoch
//   int32   lastSequence           of its newest batch, -1 when there is none in its epoch
//   int64   lastOffset             of that batch, -1 when there is none
//   int32   offsetDelta            last less first offset of that batch
//   int64   timestamp              of its newest batch or marker
//   int32   coordinatorEpoch       -1 when no marker was seen
//   int64   currentTxnFirstOffset  -1 when no transaction is open
const versionField = 0
const crcField = versionField + 2
const countField = crcField + 4
const headerBytes = countField + 4

const producerIdField = 0
const epochField = producerIdField + 8
const lastSequenceField = epochField + 2
const lastOffsetField = lastSequenceField + 4
const offsetDeltaField = lastOffsetField + 8
const timestampField = offsetDeltaField + 4
const coordinatorEpochField = timestampField + 8
const transactionFirstOffsetField = coordinatorEpochField + 4
const entryBytes = transactionFirstOffsetField + 8

const snapshotVersion = 1

/** A producer snapshot is damaged. An older one and the log give the same state. */
export class CorruptProducerSnapshotError extends VarveError {
  readonly code = 'VARVE_CORRUPT_PRODUCER_SNAPSHOT'
  readonly path: string
  /** What is wrong, without the place. */
  readonly reason: string

  constructor(path: string, reason: string) {
    super(`corrupt producer snapshot ${path}: ${reason}`)
    this.path = path
    this.reason = reason
  }
}

/** Entries stand in the order given. Of a producer's batches only the newest is stored. */
export function encodeProducerSnapshot(producers: Iterable<ProducerStateInfo>): Buffer {
  const entries = [...producers]
  const bytes = Buffer.alloc(headerBytes + entries.length * entryBytes)
  bytes.writeInt16BE(snapshotVersion, versionField)
  bytes.writeInt32BE(entries.length, countField)
  let position = headerBytes
  for (const entry of entries) {
    writeEntry(bytes.subarray(position, position + entryBytes), entry)
    position += entryBytes
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(countField)), crcField)
  return bytes
}

function writeEntry(bytes: Buffer, entry: ProducerStateInfo): void {
  const batch = entry.batches.at(-1)
  writeInt64(bytes, producerIdField, entry.producerId)
  bytes.writeInt16BE(entry.epoch, epochField)
  bytes.writeInt32BE(batch?.lastSequence ?? -1, lastSequenceField)
  writeInt64(bytes, lastOffsetField, batch?.lastOffset ?? -1)
  bytes.writeInt32BE(batch ? batch.lastOffset - batch.firstOffset : 0, offsetDeltaField)
  writeInt64(bytes, timestampField, entry.lastTimestamp)
  bytes.writeInt32BE(entry.coordinatorEpoch, coordinatorEpochField)
  writeInt64(bytes, transactionFirstOffsetField, entry.currentTransactionFirstOffset ?? -1)
}

/** Throws CorruptProducerSnapshotError. */
export function decodeProducerSnapshot(bytes: Buffer, path: string): readonly ProducerStateInfo[] {
  const refuse = (reason: string): never => {
    throw new CorruptProducerSnapshotError(path, reason)
  }
  if (bytes.length < headerBytes) refuse(`${bytes.length} bytes are too few`)
  const version = bytes.readInt16BE(versionField)
  if (version !== snapshotVersion) refuse(`version ${version} is unknown`)
  if (bytes.readUInt32BE(crcField) !== crc32c(bytes.subarray(countField))) {
    refuse('its checksum does not agree')
  }
  const count = bytes.readInt32BE(countField)
  if (bytes.length !== headerBytes + count * entryBytes) {
    refuse(`${count} entries do not fit ${bytes.length} bytes`)
  }
  const producers = new Map<number, ProducerStateInfo>()
  for (let position = headerBytes; position < bytes.length; position += entryBytes) {
    const entry = readEntry(bytes.subarray(position, position + entryBytes), refuse)
    if (producers.has(entry.producerId)) refuse(`producer ${entry.producerId} appears twice`)
    producers.set(entry.producerId, entry)
  }
  return [...producers.values()]
}

function readEntry(bytes: Buffer, refuse: (reason: string) => never): ProducerStateInfo {
  const int64 = (field: number, name: string, min: number): number => {
    const value = readInt64(bytes, field)
    return value >= min && Number.isSafeInteger(value) ? value : refuse(`${name} ${value}`)
  }
  const producerId = int64(producerIdField, 'producer id', 0)
  const lastOffset = int64(lastOffsetField, 'last offset', -1)
  const lastTimestamp = int64(timestampField, 'timestamp', Number.MIN_SAFE_INTEGER)
  const transactionFirstOffset = int64(transactionFirstOffsetField, 'transaction offset', -1)
  const offsetDelta = bytes.readInt32BE(offsetDeltaField)
  const lastSequence = bytes.readInt32BE(lastSequenceField)
  if (lastOffset >= 0 && (offsetDelta < 0 || offsetDelta > lastOffset)) {
    refuse(`offset delta ${offsetDelta} of last offset ${lastOffset}`)
  }
  const batch = {
    firstSequence: lastSequence < 0 ? -1 : decrementSequence(lastSequence, offsetDelta),
    lastSequence,
    firstOffset: lastOffset - offsetDelta,
    lastOffset,
    timestamp: lastTimestamp,
  }
  return {
    producerId,
    epoch: bytes.readInt16BE(epochField),
    coordinatorEpoch: bytes.readInt32BE(coordinatorEpochField),
    lastTimestamp,
    currentTransactionFirstOffset: transactionFirstOffset < 0 ? null : transactionFirstOffset,
    batches: lastOffset < 0 ? [] : [batch],
  }
}
