import { type ListedSegment, LogListing, listSegmentFiles } from '../format/segment-listing.ts'
import { type FileSystem, isSystemError } from '../storage/file-system.ts'
import { completeSwaps, spansOf } from './segment-swap.ts'

/** A directory that changes faster than it can be listed is taken as it was seen last. */
const attemptsMax = 50

/**
 * The segments of a log that somebody else writes, who may be deleting or replacing some of them at
 * this moment, or have died on the way: what opening the log would find. Changes nothing.
 */
export async function listReadableSegments(
  fs: FileSystem,
  directory: string,
): Promise<readonly ListedSegment[]> {
  let before = namesOf(fs, directory)
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt === attemptsMax
    const found = await listOnce(fs, directory).catch((error: unknown) => {
      // A file that was to be looked into has another name by now.
      if (isSystemError(error, 'ENOENT') && !isLast) return null
      throw error
    })
    const after = namesOf(fs, directory)
    // Files that were renamed meanwhile may have been seen under both of their names, or none.
    if (found !== null && (after === before || isLast)) return found
    before = after
  }
}

function namesOf(fs: FileSystem, directory: string): string {
  return listSegmentFiles(fs, directory)
    .map(({ name }) => name)
    .join('/')
}

async function listOnce(fs: FileSystem, directory: string): Promise<readonly ListedSegment[]> {
  const listing = LogListing.read(fs, directory)
  const segments = listing.segments(fs)
  if (!listing.hasSuffixes) return segments
  const swaps = completeSwaps(listSegmentFiles(fs, directory))
  if (swaps.length === 0) return segments
  const spans = await spansOf(fs, directory, swaps)
  const isReplaced = ({ baseOffset }: ListedSegment): boolean =>
    spans.some(({ from, to }) => baseOffset >= from && baseOffset < to)
  const added = spans.flatMap(({ from, path }) => {
    const stat = fs.stat(path)
    if (stat === null) return []
    const { sizeBytes, fileId } = stat
    return [{ baseOffset: from, path, sizeBytes, fileId, kinds: new Set(['log'] as const) }]
  })
  const kept = segments.filter((segment) => !isReplaced(segment))
  return [...kept, ...added].sort((a, b) => a.baseOffset - b.baseOffset)
}
