import { VarveError } from '@varve/record'
import { LogDirectory } from '../../src/log-directory.ts'
import type { SimulatedFileSystem } from '../../src/testing/index.ts'
import type { Finding } from '../../src/verify/finding.ts'
import { verifyPath } from '../../src/verify/verify-path.ts'
import { describe, openOptions, type Shape, soughtTimestamps } from './shapes.ts'

export async function findings(fs: SimulatedFileSystem, path = '/data'): Promise<Finding[]> {
  const found: Finding[] = []
  for await (const it of verifyPath(path, { fs, settleMs: 0 })) found.push(it)
  return found
}

/** Those that say that something is wrong. */
export async function faults(fs: SimulatedFileSystem, path = '/data'): Promise<Finding[]> {
  return (await findings(fs, path)).filter(({ severity }) => severity !== 'note')
}

/** A bit of a file, by its position. */
export interface Flip {
  readonly path: string
  readonly bit: number
}

/** The data directory with one bit flipped; `isClean`: with the marker of a clean shutdown. */
export function flipped({ fs }: Shape, { path, bit }: Flip, isClean: boolean): SimulatedFileSystem {
  const copy = fs.fork()
  copy.flipBit(path, bit)
  return isClean ? copy : withoutMarker(copy)
}

/** As after a crash: the marker of the clean shutdown is gone. */
export function withoutMarker(fs: SimulatedFileSystem): SimulatedFileSystem {
  const marker = '/data/.kafka_cleanshutdown'
  if (fs.stat(marker) !== null) void fs.remove(marker)
  return fs
}

export function describeFlip({ path, bit }: Flip): string {
  return `${path.slice(path.lastIndexOf('/') + 1)} byte ${bit >> 3} bit ${bit & 7}`
}

/**
 * Opens a damaged data directory and reads everything. Returns what went wrong in silence: a record
 * that is missing, changed or at another offset without an error in its place. Null when every
 * record came or a typed error told of the damage. Records that were deleted may come back: where a
 * log begins is a lower bound.
 */
export async function silentLoss(fs: SimulatedFileSystem, shape: Shape): Promise<string | null> {
  const data = await LogDirectory.open('/data', openOptions(fs))
  try {
    const log = data.logs.get('t-0')
    if (log === undefined) return data.failures.has('t-0') ? null : 'the log is gone'
    if (log.recoveryReport.cut !== null) return `the log was cut: ${log.recoveryReport.cut.reason}`
    const start = Number.parseInt(shape.records[0] ?? '0', 10)
    return (
      (await unlike(log, 'uncommitted', shape.records, start)) ??
      (await unlike(log, 'committed', shape.committed, start)) ??
      (log.logStartOffset < start ? null : await unlikeByTime(log, shape.found))
    )
  } finally {
    await data.close().catch(() => undefined)
  }
}

async function unlikeByTime(log: OpenLog, expected: readonly string[]): Promise<string | null> {
  for (const [index, timestamp] of soughtTimestamps.entries()) {
    try {
      const found = JSON.stringify(await log.offsetForTimestamp(timestamp))
      if (found !== expected[index]) {
        return `looking for ${timestamp} finds ${found}, not ${expected[index]}`
      }
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
    }
  }
  return null
}

type OpenLog = NonNullable<ReturnType<LogDirectory['logs']['get']>>

async function unlike(
  log: OpenLog,
  isolation: 'committed' | 'uncommitted',
  expected: readonly string[],
  start: number,
): Promise<string | null> {
  let index = 0
  try {
    for await (const batch of log.reader({ from: log.logStartOffset, isolation })) {
      for (const record of batch.records()) {
        if (record.offset < start && log.logStartOffset < start) continue
        const found = describe(record)
        if (found !== expected[index]) {
          return `${isolation}: record ${index} is '${found}', not '${expected[index]}'`
        }
        index += 1
      }
    }
  } catch (error) {
    if (error instanceof VarveError) return null
    throw error
  }
  if (index === expected.length) return null
  return `${isolation}: ${index} records came without an error, not ${expected.length}`
}
