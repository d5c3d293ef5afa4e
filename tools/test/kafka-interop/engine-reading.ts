import { cpSync } from 'node:fs'
import { type Isolation, type Log, LogDirectory, type ReadOnlyLog } from '@varve/log'
import { type PlainRecord, plainRecord } from '../../src/kafka/plain-record.ts'

/** Opens a copy of a broker's data directory, so that the broker can go on with its own. */
export async function openCopy(dataDirectory: string, copy: string): Promise<LogDirectory> {
  cpSync(dataDirectory, copy, { recursive: true })
  return LogDirectory.open(copy)
}

/** What a consumer of a log gets of it: no control records, nothing before the log start offset. */
export async function readLog(
  log: Log | ReadOnlyLog,
  isolation: Isolation,
): Promise<readonly PlainRecord[]> {
  const from = log.logStartOffset
  const records: PlainRecord[] = []
  for await (const batch of log.reader({ from, isolation })) {
    if (batch.isControl) continue
    for (const record of batch.records()) {
      if (record.offset >= from) records.push(plainRecord(record))
    }
  }
  return records
}

/** The next records that a follower sees from an offset on, whoever appends them. */
export async function followLog(
  log: Log | ReadOnlyLog,
  from: number,
  count: number,
  timeoutMs: number,
): Promise<readonly PlainRecord[]> {
  const signal = AbortSignal.timeout(timeoutMs)
  const records: PlainRecord[] = []
  for await (const record of log.reader({ from, follow: true, signal }).records()) {
    records.push(plainRecord(record))
    if (records.length === count) break
  }
  return records
}
