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
    const groups: Promise<unknown>[] = []
    for (let sent = 0; groups.length < groupsUnderWay && sent < left; ) {
      const group = nextGroup(left - sent)
      sent += group.length
      groups.push(log.append(group, { acks: 'written' }))
    }
    await Promise.all(groups)
  }
  await log.flush()
  await filling.atEnd?.(log)
  return { bytes: sizeOf(), records: log.highWatermark - log.logStartOffset }
}

/** Records that are appended together are a batch together. */
function groupsOf({ payload, nextKey, log }: LogFilling): (most: number) => readonly RecordInput[] {
  const { values } = payload
  const { batchBytes } = resolveLogOptions(log)
  let at = 0
  return (most) => {
    const group: RecordInput[] = []
    let bytes = 0
    while (group.length < most && bytes < batchBytes) {
      const value = values[at] ?? values[0]
      at = at + 1 === values.length ? 0 : at + 1
      group.push({ key: nextKey(), value })
      bytes += value.length + 32
    }
    return group
  }
}
