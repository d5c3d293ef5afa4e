import type { FilePosition, Offset } from '@varve/record'
import type { ListedSegment } from '../format/segment-listing.ts'
import { mayHoldBatch, SearchBudget } from '../segments/batch-finder.ts'
import { segmentFileKinds, segmentPath } from '../segments/segment-files.ts'
import { activeDigestFileName, brokenSuffix } from '../storage/file-names.ts'
import { type File, type FileSystem, writeFully } from '../storage/file-system.ts'
import { FileWindow } from '../storage/file-window.ts'

/** Copied and searched at once. */
const chunkBytes = 1024 * 1024
/** How far behind a bad batch valid ones are looked for. */
const searchBytesMax = 64 * 2 ** 20
/** A segment's offsets lie less than this from each other: its indexes have 31 bits for them. */
const offsetRange = 2 ** 31

/**
 * Whether valid batches stand after a bad one. A torn last write leaves none; a lost or damaged
 * write in the middle does. Any position can be the start of one: the bad batch's size is not
 * believed. Bytes made to look like batches end the search early, with a yes: the louder answer.
 */
export async function validBatchesFollow(
  file: File,
  from: FilePosition,
  sizeBytes: number,
  expectedOffset: Offset,
): Promise<boolean> {
  const window = new FileWindow(file, Math.min(sizeBytes, from + searchBytesMax))
  const bounds = { from: expectedOffset, to: expectedOffset + offsetRange }
  return mayHoldBatch(window, from + 1, bounds, new SearchBudget(window.end - from))
}

/**
 * Copies the end of a file to a file beside it, durably, and returns that file's path; null when
 * there are only zeros, which hold nothing.
 */
export async function keepTail(
  fs: FileSystem,
  file: File,
  from: FilePosition,
  sizeBytes: number,
): Promise<string | null> {
  if (from >= sizeBytes || (await isZeros(file, from, sizeBytes))) return null
  const path = unusedPath(fs, `${file.path}.${from}`)
  const kept = fs.open(path, 'create')
  let isKept = false
  try {
    for (let position = from; position < sizeBytes; position += chunkBytes) {
      const bytes = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - position))
      await file.read(bytes, position)
      await writeFully(kept, bytes, position - from)
    }
    await kept.datasync()
    isKept = true
  } finally {
    kept.close()
    // Half a copy, on a full disk, would be in the way of the next attempt, and of every other one.
    if (!isKept) await fs.remove(path).catch(() => undefined)
  }
  return path
}

async function isZeros(file: File, from: FilePosition, to: FilePosition): Promise<boolean> {
  const zeros = Buffer.alloc(Math.min(chunkBytes, to - from))
  for (let position = from; position < to; position += chunkBytes) {
    const bytes = Buffer.allocUnsafe(Math.min(chunkBytes, to - position))
    await file.read(bytes, position)
    if (!bytes.equals(zeros.subarray(0, bytes.length))) return false
  }
  return true
}

/**
 * Takes a whole segment out of the log: its `.log` is kept under another name, what is derived from
 * it is removed. Returns the kept file's path; null when it was empty.
 */
export async function setSegmentAside(
  fs: FileSystem,
  directory: string,
  segment: ListedSegment,
): Promise<string | null> {
  let kept: string | null = null
  if (segment.sizeBytes === 0) {
    await fs.remove(segment.path)
  } else {
    kept = unusedPath(fs, segment.path)
    fs.rename(segment.path, kept)
  }
  const derived = segmentFileKinds
    .filter((kind) => kind !== 'log')
    .map((kind) => segmentPath(directory, segment.baseOffset, kind))
  derived.push(`${directory}/${activeDigestFileName(segment.baseOffset)}`)
  for (const path of derived) if (fs.stat(path) !== null) await fs.remove(path)
  return kept
}

/** `<stem>.broken`, or with a number before the suffix when that is taken. */
function unusedPath(fs: FileSystem, stem: string): string {
  let path = `${stem}${brokenSuffix}`
  for (let number = 2; fs.stat(path) !== null; number++) path = `${stem}.${number}${brokenSuffix}`
  return path
}
