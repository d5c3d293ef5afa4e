import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { LogDirectory } from '@varve/log'
import type { RecordBatch } from '@varve/record'
import { contentHash, contentHashOfFiles } from '../harness/content-hash.ts'
import { payloadOf } from '../harness/payload.ts'
import { appendInFlight } from './append-driver.ts'
import { BareGroupCommit, bareContentHash } from './bare-group-commit.ts'
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
  return await (load.through === 'log' ? throughLog(load) : throughBareCalls(load))
}

async function throughLog(load: MemoryLoad): Promise<MemoryUse> {
  const { acks, inFlight, path, unit } = load
  await using directory = await LogDirectory.open(path, { log: { acks } })
  const log = await directory.createLog('bench', 0)
  if (unit === 'record') {
    await appendInFlight(payload, inFlight, recordCount(load), (record) => log.append(record))
  } else {
    const batches = batchesOf(load)
    for (let left = load.totalBytes; left > 0; ) {
      await Promise.all(batches.map((batch) => log.appendBatch(batch)))
      left -= batches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    }
  }
  // Before anything is read back, which takes memory too.
  const peakMiB = peakResidentBytes() / 2 ** 20
  return { peakMiB, hash: await contentHash(log) }
}

async function throughBareCalls(load: MemoryLoad): Promise<MemoryUse> {
  const { inFlight, path, unit } = load
  if (unit === 'record') {
    const loop = new BareGroupCommit(path)
    const count = recordCount(load)
    await appendInFlight(payload, inFlight, count, ({ bytes }) => loop.append(bytes))
    loop.close()
    const peakMiB = peakResidentBytes() / 2 ** 20
    return { peakMiB, hash: bareContentHash(path) }
  }
  const batches = batchesOf(load)
  const descriptor = openSync(path, 'wx')
  let position = 0
  for (let left = load.totalBytes; left > 0; ) {
    for (const { bytes } of batches) {
      position += writeSync(descriptor, bytes, 0, bytes.length, position)
      left -= bytes.length
    }
  }
  closeSync(descriptor)
  const peakMiB = peakResidentBytes() / 2 ** 20
  return { peakMiB, hash: contentHashOfFiles([path]) }
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
