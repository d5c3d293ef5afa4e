import { type Log, LogDirectory, type LogOptions, resolveLogOptions } from '@varve/log'
import { InvalidArgumentError, type RecordInput } from '@varve/record'
import type { NextKey } from '../payload/key-distribution.ts'
import type { Payload } from '../payload/payload.ts'

/** The one log of a scratch directory. */
export const benchLog = { topic: 'bench', partition: 0, name: 'bench-0' } as const

export interface LogFilling {
  readonly payload: Payload
  readonly nextKey: NextKey
  /** Fill it until it has so many bytes, or so many records. */
  readonly until: { readonly bytes: number } | { readonly records: number }
  readonly log: LogOptions
  readonly signal?: AbortSignal
  readonly onProgress?: (bytes: number) => void
  /** Called when it is full, before it is closed. */
  readonly atEnd?: (log: Log) => Promise<void>
}

export interface FilledLog {
  readonly bytes: number
  readonly records: number
}

const groupsUnderWay = 8
/** What a batch has around its records, with room to spare. */
const batchRoomBytes = 1024
/** Likewise, a record around its value. */
const recordRoomBytes = 32

/** A batch that takes any record of the payload on top of what it was to have. */
export function messageBytesFor({ values }: Payload, batchBytes: number): number {
  const largest = values.reduce((most, { length }) => Math.max(most, length), 0)
  return batchBytes + largest + batchRoomBytes
}

/**
 * Settings of a log that takes such batches of such records. Throws InvalidArgumentError where a
 * segment is too small for one of them.
 */
export function fittingLog(
  payload: Payload,
  given: Pick<LogOptions, 'acks' | 'batchBytes'> & { readonly segmentBytes: number },
): LogOptions {
  const { segmentBytes } = given
  const leastBytes = messageBytesFor(payload, 0)
  if (segmentBytes < leastBytes) {
    const rule = `must be ${leastBytes} bytes or more, for a record and what is around it`
    throw new InvalidArgumentError('segmentBytes', segmentBytes, rule)
  }
  const { batchBytes, maxMessageBytes } = resolveLogOptions(given)
  const messageBytes = Math.max(maxMessageBytes, messageBytesFor(payload, batchBytes))
  return { ...given, maxMessageBytes: messageBytes }
}

/** Makes a data directory with one log and fills it, flushed at its end and closed cleanly. */
export async function fillLog(path: string, filling: LogFilling): Promise<FilledLog> {
  const { until, signal, onProgress } = filling
  const limit = 'bytes' in until ? until.bytes : until.records
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new InvalidArgumentError('size', limit, 'must be an integer of 1 or more')
  }
  await using directory = await LogDirectory.open(path, { log: filling.log })
  const log = await directory.createLog(benchLog.topic, benchLog.partition)
  const nextGroup = groupsOf(filling)
  const sizeOf = (): number => log.segments().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  for (;;) {
    signal?.throwIfAborted()
    const bytes = sizeOf()
    onProgress?.(bytes)
    if ('bytes' in until && bytes >= until.bytes) break
    const left = 'records' in until ? until.records - log.highWatermark : Number.MAX_SAFE_INTEGER
    if (left <= 0) break
    const bytesLeft = 'bytes' in until ? until.bytes - bytes : Number.MAX_SAFE_INTEGER
    const groups: Promise<unknown>[] = []
    let sent = 0
    let sentBytes = 0
    while (groups.length < groupsUnderWay && sent < left && sentBytes < bytesLeft) {
      const group = nextGroup(left - sent)
      sent += group.records.length
      sentBytes += group.bytes
      groups.push(log.append(group.records, { acks: 'written' }))
    }
    await Promise.all(groups)
  }
  await log.flush()
  await filling.atEnd?.(log)
  return { bytes: sizeOf(), records: log.highWatermark - log.logStartOffset }
}

interface Group {
  readonly records: readonly RecordInput[]
  /** About. */
  readonly bytes: number
}

/** Records that are appended together are a batch together. */
function groupsOf({ payload, nextKey, log }: LogFilling): (most: number) => Group {
  const { values } = payload
  const { batchBytes, maxMessageBytes, segmentBytes } = resolveLogOptions(log)
  const bytesMax = Math.min(maxMessageBytes, segmentBytes) - batchRoomBytes
  let at = 0
  return (most) => {
    const records: RecordInput[] = []
    let bytes = 0
    while (records.length < most) {
      const value = values[at] ?? values[0]
      const size = value.length + recordRoomBytes
      if (records.length > 0 && (bytes >= batchBytes || bytes + size > bytesMax)) break
      at = at + 1 === values.length ? 0 : at + 1
      records.push({ key: nextKey(), value })
      bytes += size
    }
    return { records, bytes }
  }
}
