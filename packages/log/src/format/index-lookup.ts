import type { Offset, Timestamp } from '@varve/record'
import type { File } from '../storage/file-system.ts'

// Searching a time index where it lies, without loading it: binary search over the file until what
// is left fits one block, then over that block. The entries are not believed to be right: whoever
// uses an offset reads on from there and compares.

/** Read at once at the end of a search: one page of the page cache. */
const blockBytes = 4096

const timeEntryBytes = 12

export interface TimeEntry {
  readonly timestamp: Timestamp
  readonly offset: Offset
}

/** The last entry of a `.timeindex` file whose timestamp is at most `target`; null without one. */
export function lookupTimestamp(
  file: File,
  sizeBytes: number,
  baseOffset: Offset,
  target: Timestamp,
): TimeEntry | null {
  const entry = floorEntry(file, sizeBytes, timeEntryBytes, (bytes, at) => {
    const timestamp = timestampAt(bytes, at)
    return timestamp > 0 && timestamp <= target
  })
  return entry === null ? null : timeEntryAt(entry, baseOffset)
}

/** The timestamp of the last entry of a `.timeindex` file; null when it is empty. */
export function lastTimestamp(file: File, sizeBytes: number): Timestamp | null {
  const count = Math.floor(sizeBytes / timeEntryBytes)
  if (count === 0) return null
  const entry = readEntries(file, timeEntryBytes, count - 1, 1)
  return timestampAt(entry, 0)
}

/** The last entry for which `isAtMost` holds, given that it holds for a prefix of the entries. */
function floorEntry(
  file: File,
  sizeBytes: number,
  entryBytes: number,
  isAtMost: (bytes: Buffer, at: number) => boolean,
): Buffer | null {
  let low = 0
  let high = Math.floor(sizeBytes / entryBytes)
  const blockEntries = Math.floor(blockBytes / entryBytes)
  while (high - low > blockEntries) {
    const middle = (low + high) >>> 1
    if (isAtMost(readEntries(file, entryBytes, middle, 1), 0)) low = middle
    else high = middle
  }
  if (high === low) return null
  const block = readEntries(file, entryBytes, low, high - low)
  let first = 0
  let last = high - low
  while (first < last) {
    const middle = (first + last) >>> 1
    if (isAtMost(block, middle * entryBytes)) first = middle + 1
    else last = middle
  }
  return first === 0 ? null : block.subarray((first - 1) * entryBytes, first * entryBytes)
}

function readEntries(file: File, entryBytes: number, index: number, count: number): Buffer {
  const bytes = Buffer.alloc(count * entryBytes)
  file.readSync(bytes, index * entryBytes)
  return bytes
}

function timeEntryAt(entry: Buffer, baseOffset: Offset): TimeEntry {
  return { timestamp: timestampAt(entry, 0), offset: baseOffset + entry.readUInt32BE(8) }
}

function timestampAt(bytes: Buffer, at: number): Timestamp {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}
