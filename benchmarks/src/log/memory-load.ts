import { openSync, readFileSync, writeSync } from 'node:fs'
import { LogDirectory } from '@varve/log'
import type { RecordBatch } from '@varve/record'
import { payloadOf } from '../harness/payload.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'
import { appendInFlight } from './append-driver.ts'
import { BareGroupCommit } from './bare-group-commit.ts'
import { oneBatch } from './prepared-batches.ts'

/** What the process of a memory benchmark does. */
export interface MemoryLoad {
  readonly path: string
  /** `bare` does the same without the engine: what Node itself and the load take. */
  readonly through: 'log' | 'bare'
  readonly acks: 'written' | 'flushed'
  /** One record, or a ready-made batch of so many bytes. */
  readonly unit: 'record' | 'batch'
  readonly batchBytes: number
  readonly inFlight: number
  /** Bytes of records to append. */
  readonly totalBytes: number
}

export interface MemoryUse {
  /** Highest resident memory, as the kernel has seen it (VmHWM), in MiB. */
  readonly peakMiB: number
  readonly hash: string
}

const recordBytes = 100
/** Few different ones, so that the load itself takes little memory. */
const payload = payloadOf(recordBytes, 10_000)

/** Appends at full speed and tells how much memory that took. Runs in a process of its own. */
export async function useMemory(load: MemoryLoad): Promise<MemoryUse> {
  const appended = load.through === 'log' ? await throughLog(load) : await throughBareCalls(load)
  return { peakMiB: peakResidentBytes() / 2 ** 20, hash: hashOfNumbers(appended) }
}

async function throughLog(load: MemoryLoad): Promise<number> {
  const { acks, inFlight, path, unit } = load
  await using directory = await LogDirectory.open(path, { log: { acks } })
  const log = await directory.createLog('bench', 0)
  if (unit === 'record') {
    await appendInFlight(payload, inFlight, recordCount(load), (record) => log.append(record))
    return log.highWatermark
  }
  const batches = batchesOf(load)
  for (let left = load.totalBytes; left > 0; ) {
    await Promise.all(batches.map((batch) => log.appendBatch(batch)))
    left -= batches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }
  return log.highWatermark
}

async function throughBareCalls(load: MemoryLoad): Promise<number> {
  const { inFlight, path, unit } = load
  if (unit === 'record') {
    const loop = new BareGroupCommit(path)
    const count = recordCount(load)
    await appendInFlight(payload, inFlight, count, ({ bytes }) => loop.append(bytes))
    loop.close()
    return count
  }
  const batches = batchesOf(load)
  const descriptor = openSync(path, 'wx')
  let position = 0
  let records = 0
  for (let left = load.totalBytes; left > 0; ) {
    for (const { bytes, count } of batches) {
      position += writeSync(descriptor, bytes, 0, bytes.length, position)
      records += count
      left -= bytes.length
    }
  }
  return records
}

/**
 * As many as are in flight, all with the same records: a batch can be in the log once at a time.
 */
function batchesOf({ batchBytes, inFlight }: MemoryLoad): readonly RecordBatch[] {
  return Array.from({ length: inFlight }, () => oneBatch(payload, batchBytes))
}

function recordCount({ totalBytes }: MemoryLoad): number {
  return Math.floor(totalBytes / recordBytes)
}

/**
 * The kernel's own count where there is one: getrusage's begins with that of the parent process.
 */
function peakResidentBytes(): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))
    if (match !== null) return Number(match[1]) * 1024
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024
}
