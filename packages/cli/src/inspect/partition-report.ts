import { type FileSystem, nodeFileSystem } from '@varve/log'
import { listSegments, parseSegmentFileName } from '@varve/log/files'
import type { PartitionTarget } from '../target.ts'
import { readPartitionFacts } from './partition-facts.ts'
import { type SegmentHealth, type SegmentReport, scanSegment } from './segment-report.ts'

/** What a partition directory holds. Plain data. */
export interface PartitionReport {
  readonly name: string
  readonly path: string
  readonly topicId: string | null
  readonly logStartOffset: number
  readonly nextOffset: number
  /** Null where no file says it. */
  readonly recoveryPoint: number | null
  readonly closedCleanly: boolean
  readonly records: number
  readonly batches: number
  readonly sizeBytes: number
  readonly segments: readonly SegmentReport[]
  /** Segment files in passing states: `.deleted`, `.cleaned`, `.swap`, `.broken`. */
  readonly leftovers: readonly string[]
  readonly health: SegmentHealth
  /** What is wrong with the partition as a whole; a segment's problems stand there. */
  readonly problems: readonly string[]
}

/** `onBatch` as in ScanSegmentOptions. */
export async function reportPartition(
  target: PartitionTarget,
  onBatch: (sizeBytes: number) => boolean,
  fs: FileSystem = nodeFileSystem,
): Promise<PartitionReport> {
  const { path, name } = target
  const facts = readPartitionFacts(path, name, fs)
  const listed = listSegments(fs, path)
  const segments: SegmentReport[] = []
  for (const [index, { baseOffset, path: logPath }] of listed.entries()) {
    // Deleted meanwhile by whoever owns the log: no longer part of it.
    if (fs.stat(logPath) === null) continue
    const mayHaveTail = index === listed.length - 1 && !facts.isClosedCleanly
    const { recoveryPoint } = facts
    segments.push(
      await scanSegment({ directory: path, baseOffset, mayHaveTail, recoveryPoint, onBatch }, fs),
    )
  }
  const problems = [...facts.problems, ...overlaps(segments)]
  const firstOffset = segments[0]?.baseOffset ?? 0
  return {
    ...{ name, path },
    topicId: facts.topicId,
    logStartOffset: Math.max(facts.logStartOffset ?? 0, firstOffset),
    nextOffset: segments.at(-1)?.nextOffset ?? facts.logStartOffset ?? 0,
    recoveryPoint: facts.recoveryPoint,
    closedCleanly: facts.isClosedCleanly,
    records: sum(segments, ({ records }) => records),
    batches: sum(segments, ({ batches }) => batches),
    sizeBytes: sum(segments, ({ sizeBytes }) => sizeBytes),
    segments,
    leftovers: listLeftovers(fs, path),
    health: problems.length > 0 ? 'damaged' : worst(segments),
    problems,
  }
}

/** Each segment must begin where the one before has ended, or after it. */
function overlaps(segments: readonly SegmentReport[]): readonly string[] {
  const problems: string[] = []
  for (const [index, { nextOffset }] of segments.entries()) {
    const next = segments[index + 1]
    if (next === undefined || nextOffset <= next.baseOffset) continue
    problems.push(`the segment before ${next.baseOffset} reaches to offset ${nextOffset - 1}`)
  }
  return problems
}

function listLeftovers(fs: FileSystem, path: string): readonly string[] {
  const isLeftover = (name: string): boolean => {
    const file = parseSegmentFileName(name)
    return file === null ? /\.(broken|deleted|cleaned|swap)$/.test(name) : file.suffix !== ''
  }
  return fs.list(path).filter(isLeftover).toSorted()
}

function worst(segments: readonly SegmentReport[]): SegmentHealth {
  const healths = new Set(segments.map(({ health }) => health))
  return healths.has('damaged') ? 'damaged' : healths.has('tail') ? 'tail' : 'ok'
}

function sum<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + numberOf(item), 0)
}
