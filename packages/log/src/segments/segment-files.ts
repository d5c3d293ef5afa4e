import type { Offset } from '@varve/record'
import type { ResolvedLogOptions } from '../base/log-options.ts'
import { type SegmentFileKind, segmentFileName } from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'
import type { ActiveSegment } from './active-segment.ts'

/** The files that belong to one segment, its log first. */
export const segmentFileKinds: readonly SegmentFileKind[] = [
  'log',
  'index',
  'timeindex',
  'txnindex',
  'digest',
]

/**
 * Creates the `.log` of a new active segment. Files of that name can only be left over from a
 * segment that held nothing; they give way, as in Kafka.
 */
export function createSegmentFile(
  fs: FileSystem,
  segment: ActiveSegment,
  options: ResolvedLogOptions,
): void {
  const file = fs.open(segment.path, 'replace')
  try {
    if (options.preallocate) file.truncate(options.segmentBytes)
  } finally {
    file.close()
  }
}

/** Path of a segment's file. */
export function segmentPath(directory: string, baseOffset: Offset, kind: SegmentFileKind): string {
  return `${directory}/${segmentFileName(baseOffset, kind)}`
}
