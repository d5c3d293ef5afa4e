import { RecordBatch, RecordBatchBuilder } from '@varve/record'
import { type Payload, type PayloadRecord, payloadOf } from '../harness/payload.ts'
import { ResultHash } from '../harness/result-hash.ts'

/** Batches as a producer would hand them in, and the records that are in each of them. */
export interface PreparedBatches {
  readonly payload: Payload
  readonly batches: readonly RecordBatch[]
  readonly recordsOf: readonly (readonly PayloadRecord[])[]
  readonly sizeBytes: number
  /** Over the keys and values of all records, in order. */
  readonly contentHash: string
}

/**
 * Different records in memory. More would make every garbage collection during the measurement
 * slower by what belongs to the benchmark.
 */
const distinctBytes = 4 * 2 ** 20

/** A batch must not be appended again before it is acknowledged. */
const batchesInFlightMax = 8

/** A record's length, attributes, deltas and sizes take no more in batches up to 1 MiB. */
const recordOverheadBytes = 12

/**
 * Batches of about `batchBytes`, not over, and about `totalBytes` of them, of which `inFlightMax`
 * may be in a log's hands at once.
 */
export function prepareBatches(
  recordBytes: number,
  batchBytes: number,
  totalBytes: number,
  inFlightMax: number = batchesInFlightMax,
): PreparedBatches {
  const perBatch = recordsIn(batchBytes, recordBytes)
  const count = Math.max(1, Math.round(totalBytes / batchBytes))
  const distinctMin = batchBytes * (inFlightMax + 1)
  const ownBytes = Math.min(totalBytes, Math.max(distinctBytes, distinctMin))
  const records = Math.max(1, Math.ceil(ownBytes / recordBytes))
  const payload = payloadOf(recordBytes, records)
  const distinct = Math.max(1, Math.floor(records / perBatch))
  const recordsOf: PayloadRecord[][] = []
  const batches: RecordBatch[] = []
  for (let index = 0; index < distinct; index++) {
    const own = payload.records.slice(index * perBatch, (index + 1) * perBatch)
    batches.push(batchOf(own))
    recordsOf.push(own)
  }
  return repeated(payload, batches, recordsOf, count)
}

/** One batch of about `batchBytes`, not over, of the first records of a payload, used in turn. */
export function oneBatch({ records, recordBytes }: Payload, batchBytes: number): RecordBatch {
  const count = recordsIn(batchBytes, recordBytes)
  return batchOf(
    Array.from({ length: count }, (_, index) => records[index % records.length] as PayloadRecord),
  )
}

function recordsIn(batchBytes: number, recordBytes: number): number {
  return Math.floor((batchBytes - RecordBatch.headerBytes) / (recordBytes + recordOverheadBytes))
}

function batchOf(records: readonly PayloadRecord[]): RecordBatch {
  const builder = new RecordBatchBuilder({ defaultTimestamp: 1_790_000_000_000 })
  for (const record of records) builder.append(record)
  return builder.build()
}

/** A batch belongs to the log until its append is settled; after that it is appended again. */
function repeated(
  payload: Payload,
  batches: readonly RecordBatch[],
  recordsOf: readonly (readonly PayloadRecord[])[],
  count: number,
): PreparedBatches {
  const hash = new ResultHash()
  const allBatches: RecordBatch[] = []
  const allRecords: (readonly PayloadRecord[])[] = []
  let sizeBytes = 0
  for (let index = 0; index < count; index++) {
    const batch = batches[index % batches.length] as RecordBatch
    const records = recordsOf[index % batches.length] as readonly PayloadRecord[]
    for (const { bytes } of records) hash.add(bytes)
    sizeBytes += batch.sizeBytes
    allBatches.push(batch)
    allRecords.push(records)
  }
  const contentHash = hash.value
  return { payload, batches: allBatches, recordsOf: allRecords, sizeBytes, contentHash }
}
