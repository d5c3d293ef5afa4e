import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type DirectoryVarve, openDataDirectory } from '@varve/broker'
import type { Log } from '@varve/log'
import type { CompressionType } from '@varve/record'
import type { CorpusFile } from './corpus.ts'
import { partition, segmentBytes, topic } from './demo-settings.ts'
import { Bar, mebibytes } from './screen.ts'

const underWayMax = 64
const underWayBytesMax = 32 * 2 ** 20

/** What compacting has shown. */
export interface CompactionProof {
  readonly changed: number
  readonly deleted: number
  readonly same: number
  readonly beforeBytes: number
  readonly afterBytes: number
  readonly compactingMs: number
  /** Records that were read, from the start on, while compaction ran. */
  readonly readMeanwhile: number
  /** Keys that have a value, each its latest and no other. */
  readonly left: number
}

/** Digest of what a key was given last; null when it was deleted. */
type Latest = ReadonlyMap<string, string | null>

/**
 * Sends every file once more: a third of them changed, a third deleted, a third as they were. Then
 * compacts, while reading goes on, and compares what is left with what was sent last. Throws at the
 * first difference.
 */
export async function compactAndProve(
  data: string,
  corpus: readonly CorpusFile[],
  compression: CompressionType,
): Promise<CompactionProof> {
  const hour = 3_600_000
  // By hand, not by schedule: here it is to be watched.
  const cleaning = { compactionIntervalMs: hour, retentionIntervalMs: hour }
  await using varve = await openDataDirectory(data, { cleaning })
  await varve.alterTopic(topic, {
    cleanupPolicy: ['compact'],
    minCleanableDirtyRatio: 0,
    fileDeleteDelayMs: 0,
    maxMessageBytes: segmentBytes,
    segmentBytes,
  })
  const latest = await sendAgain(varve, corpus, compression)
  const log = varve.log(topic, partition)
  await log.roll()
  const beforeBytes = sizeOf(log)
  const startedMs = performance.now()
  const compacting = varve.cleaner.runOnce()
  const readMeanwhile = await readUntil(log, compacting)
  const compactingMs = performance.now() - startedMs
  const left = await proveLatest(log, latest)
  const counts = {
    changed: thirdOf(corpus, 0),
    deleted: thirdOf(corpus, 1),
    same: thirdOf(corpus, 2),
  }
  const sizes = { beforeBytes, afterBytes: sizeOf(log) }
  return { ...counts, ...sizes, compactingMs, readMeanwhile, left }
}

async function sendAgain(
  varve: DirectoryVarve,
  corpus: readonly CorpusFile[],
  compression: CompressionType,
): Promise<Latest> {
  const producer = varve.producer({ compression })
  const bar = new Bar(corpus.length)
  const latest = new Map<string, string | null>()
  const underWay: Array<{ readonly sent: Promise<unknown>; readonly bytes: number }> = []
  let bytes = 0
  for (const [index, { key, path }] of corpus.entries()) {
    const value = versionOf(readFileSync(path), index)
    latest.set(key, value === null ? null : digestOf(value))
    const size = value?.length ?? 0
    underWay.push({ sent: producer.send(topic, { key, value }, { partition }), bytes: size })
    bytes += size
    while (underWay.length >= underWayMax || bytes > underWayBytesMax) {
      const first = underWay.shift()
      if (first === undefined) break
      await first.sent
      bytes -= first.bytes
    }
    bar.update(index, key)
  }
  for (const { sent } of underWay) await sent
  bar.clear()
  return latest
}

/** A third of the files changes, a third is deleted, a third stays as it was. */
function versionOf(content: Buffer, index: number): Buffer | null {
  if (index % 3 === 0) return Buffer.concat([content, Buffer.from('\nchanged\n')])
  return index % 3 === 1 ? null : content
}

function thirdOf(corpus: readonly CorpusFile[], rest: number): number {
  return Math.ceil((corpus.length - rest) / 3)
}

/** Reads the log from its start, again and again, until something is over. */
async function readUntil(log: Log, over: Promise<unknown>): Promise<number> {
  let isOver = false
  const watching = over.finally(() => {
    isOver = true
  })
  const bar = new Bar(1)
  let records = 0
  while (!isOver) {
    for await (const batch of log.reader({ from: log.logStartOffset })) {
      records += batch.count ?? 0
      if (isOver) break
      bar.update(0, `${records} records read meanwhile, ${mebibytes(sizeOf(log))} left`)
    }
  }
  bar.clear()
  await watching
  return records
}

async function proveLatest(log: Log, latest: Latest): Promise<number> {
  const seen = new Set<string>()
  let values = 0
  let before = -1
  for await (const record of log.reader({ from: log.logStartOffset }).records()) {
    const { offset, value } = record
    const key = String(record.key)
    if (offset <= before) throw new Error(`offset ${offset} follows ${before}`)
    if (seen.has(key)) throw new Error(`${key} is there twice`)
    if ((value === null ? null : digestOf(value)) !== latest.get(key)) {
      throw new Error(`offset ${offset}, ${key}, is not the latest value`)
    }
    seen.add(key)
    if (value !== null) values += 1
    before = offset
  }
  if (seen.size !== latest.size)
    throw new Error(`${latest.size} keys were sent, ${seen.size} are there`)
  return values
}

function digestOf(value: Buffer): string {
  return createHash('sha256').update(value).digest('hex')
}

function sizeOf(log: Log): number {
  return log.segments().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
