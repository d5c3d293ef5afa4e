import type { Offset } from '@varve/record'
import {
  logFileName,
  parseSegmentFileName,
  type SegmentFileKind,
  type SegmentFileSuffix,
} from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'

/** A file of a partition directory that belongs to a segment. */
export interface SegmentFile {
  readonly name: string
  readonly baseOffset: Offset
  readonly kind: SegmentFileKind
  readonly suffix: SegmentFileSuffix
}

/** A segment by its files, as the directory shows it. */
export interface ListedSegment {
  readonly baseOffset: Offset
  readonly path: string
  readonly sizeBytes: number
  /** Tells this `.log` apart from another one of the same name. */
  readonly fileId: number
  readonly kinds: ReadonlySet<SegmentFileKind>
}

/** The segment files in a directory, by base offset. */
export function listSegmentFiles(fs: FileSystem, directory: string): readonly SegmentFile[] {
  const files: SegmentFile[] = []
  for (const name of fs.list(directory)) {
    const parsed = parseSegmentFileName(name)
    if (parsed !== null) files.push({ name, ...parsed })
  }
  return files.sort((a, b) => a.baseOffset - b.baseOffset || (a.name < b.name ? -1 : 1))
}

/** The segments of a directory whose files have their final names, in order of base offset. */
export function listSegments(fs: FileSystem, directory: string): readonly ListedSegment[] {
  const kindsByBase = new Map<Offset, Set<SegmentFileKind>>()
  for (const { baseOffset, kind, suffix } of listSegmentFiles(fs, directory)) {
    if (suffix !== '') continue
    const kinds = kindsByBase.get(baseOffset) ?? new Set()
    kindsByBase.set(baseOffset, kinds.add(kind))
  }
  const segments: ListedSegment[] = []
  for (const [baseOffset, kinds] of kindsByBase) {
    if (!kinds.has('log')) continue
    const path = `${directory}/${logFileName(baseOffset)}`
    const stat = fs.stat(path)
    // Deleted between the listing and now, by the process that owns the log.
    if (stat === null) continue
    const { sizeBytes, fileId } = stat
    segments.push({ baseOffset, path, sizeBytes, fileId, kinds })
  }
  return segments
}
