import { strict as assert } from 'node:assert'
import type { Offset } from '@varve/record'
import { CorruptLogError } from '../base/log-errors.ts'
import { type LogOptions, resolveLogOptions } from '../base/log-options.ts'
import { LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import { encodeSegmentDigest } from '../format/segment-digest.ts'
import type { ListedSegment } from '../format/segment-listing.ts'
import { loadNewestSnapshot } from '../producers/producer-loading.ts'
import { replayProducers } from '../producers/producer-replay.ts'
import { ProducerStateManager } from '../producers/producer-state.ts'
import { ActiveSegment } from '../segments/active-segment.ts'
import { segmentPath } from '../segments/segment-files.ts'
import { scanSegment } from '../segments/segment-recovery.ts'
import {
  activeDigestFileName,
  producerSnapshotFileName,
  segmentDigestFileName,
} from '../storage/file-names.ts'
import { type FileSystem, replaceSmallFile } from '../storage/file-system.ts'
import { keepSecondName, setAside } from './kept-files.ts'

/** A closed log whose derived files are made anew. */
export interface RebuildContext {
  readonly fs: FileSystem
  readonly directory: string
  /** Of the log. */
  readonly name: string
  /** All segments, in order. */
  readonly segments: readonly ListedSegment[]
  /** How the indexes are to be. */
  readonly log: LogOptions
  /** Whether the old files are kept under another name. */
  readonly keepsOld: boolean
}

export interface Rebuilt {
  /** Files that were written. */
  readonly writtenFiles: readonly string[]
  /** Where the old ones are now. */
  readonly keptFiles: readonly string[]
}

/**
 * Makes the indexes and digests of some segments anew from their logs, which must be whole. Every
 * file is put in place in one step, so that a crash leaves the old one or the new one; both serve.
 *
 * Rejects with CorruptLogError at the first batch that is not right.
 */
export async function rebuildSegments(
  context: RebuildContext,
  wanted: ReadonlySet<Offset>,
): Promise<Rebuilt> {
  const { fs, directory, name, segments } = context
  let producers = new ProducerStateManager()
  const first = segments.find(({ baseOffset }) => wanted.has(baseOffset))
  if (first === undefined) return { writtenFiles: [], keptFiles: [] }
  const { start } = loadNewestSnapshot({ fs, directory, name }, producers, first.baseOffset)
  const writtenFiles: string[] = []
  const keptFiles: string[] = []
  for (const [index, listed] of segments.entries()) {
    const end = segments[index + 1]?.baseOffset ?? Number.POSITIVE_INFINITY
    if (end <= start) continue
    // A snapshot of just here knows what the log has lost since.
    producers = snapshotAt(context, listed.baseOffset) ?? producers
    if (wanted.has(listed.baseOffset)) {
      const segment = await scanWhole(context, listed, producers)
      const isLast = index === segments.length - 1
      await writeDerived(context, segment, isLast, writtenFiles, keptFiles)
    } else {
      const range = { from: start, to: Number.POSITIVE_INFINITY }
      await replayProducers(fs, producers, { log: name, path: listed.path }, range)
    }
    const isEnd = index === segments.length - 1
    if (isEnd && wanted.has(listed.baseOffset)) {
      const path = `${directory}/${producerSnapshotFileName(producers.endOffset)}`
      await replace(context, path, producers.encodeSnapshot(), writtenFiles, keptFiles)
    }
  }
  return { writtenFiles, keptFiles }
}

/** The producers as a snapshot of exactly this offset has them; null when there is none. */
function snapshotAt(
  { fs, directory, name }: RebuildContext,
  offset: Offset,
): ProducerStateManager | null {
  const producers = new ProducerStateManager()
  const { start } = loadNewestSnapshot({ fs, directory, name }, producers, offset)
  return start === offset && offset > 0 ? producers : null
}

/** Reads a segment and what is to be derived from it. */
async function scanWhole(
  context: RebuildContext,
  listed: ListedSegment,
  producers: ProducerStateManager,
): Promise<ActiveSegment> {
  const { fs, directory, name, log } = context
  const options = resolveLogOptions(log)
  const start = { createdMs: 0, jitter: 0 }
  const segment = new ActiveSegment(directory, listed.baseOffset, options, start)
  const file = fs.open(listed.path, 'read')
  try {
    const state = { name, producers, epochs: new LeaderEpochCache() }
    const bounds = {
      ...{ recoveryPoint: 0, endOffset: null, digestPosition: null },
      ...{ isWhole: false, isRewritten: false },
    }
    const { end } = await scanSegment(file, segment, state, bounds)
    if (end.stop === 'end') return segment
    throw new CorruptLogError({
      path: listed.path,
      position: end.position,
      firstOffset: segment.nextOffset,
      lastOffset: null,
      reason: end.reason ?? 'unreadable',
    })
  } finally {
    file.close()
  }
}

async function writeDerived(
  context: RebuildContext,
  segment: ActiveSegment,
  isLast: boolean,
  written: string[],
  kept: string[],
): Promise<void> {
  const { fs, directory } = context
  const { baseOffset } = segment
  segment.completeTimeIndex()
  const put = (path: string, bytes: Uint8Array): Promise<void> =>
    replace(context, path, bytes, written, kept)
  await put(segmentPath(directory, baseOffset, 'index'), segment.offsetIndex.bytes())
  await put(segmentPath(directory, baseOffset, 'timeindex'), segment.timeIndex.bytes())
  const transactionPath = segmentPath(directory, baseOffset, 'txnindex')
  if (segment.transactionIndex.count > 0) {
    await put(transactionPath, segment.transactionIndex.encode())
  } else {
    await takeAway(context, transactionPath, kept)
  }
  const sealedPath = `${directory}/${segmentDigestFileName(baseOffset)}`
  const activePath = `${directory}/${activeDigestFileName(baseOffset)}`
  await put(isLast ? activePath : sealedPath, encodeSegmentDigest(segment.digest()))
  await takeAway(context, isLast ? sealedPath : activePath, kept)
  await fs.syncDirectory(directory)
}

/** Puts a file in place of another in one step, durably. The same content is left alone. */
async function replace(
  context: RebuildContext,
  path: string,
  bytes: Uint8Array,
  written: string[],
  kept: string[],
): Promise<void> {
  const { fs, keepsOld } = context
  const copy = Buffer.from(bytes)
  if (fs.stat(path) !== null) {
    if (isSame(fs, path, copy)) return
    if (keepsOld) kept.push(keepSecondName(fs, path))
  }
  await replaceSmallFile(fs, path, copy)
  written.push(path)
}

async function takeAway(context: RebuildContext, path: string, kept: string[]): Promise<void> {
  const { fs, keepsOld } = context
  if (fs.stat(path) === null) return
  if (keepsOld) kept.push(setAside(fs, path))
  else await fs.remove(path)
}

function isSame(fs: FileSystem, path: string, bytes: Buffer): boolean {
  const file = fs.open(path, 'read')
  try {
    if (file.sizeBytes() !== bytes.length) return false
    const found = Buffer.alloc(bytes.length)
    const read = file.readSync(found, 0)
    assert(read <= bytes.length, 'a read fills its target at most')
    return found.equals(bytes)
  } finally {
    file.close()
  }
}
