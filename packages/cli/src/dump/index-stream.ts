import type { File } from '@varve/log'
import type { IndexEntry, IndexKind } from './index-kinds.ts'

/** What an index file is like as a whole. */
export interface IndexSummary {
  /** Valid entries that it begins with. */
  readonly count: number
  /** Entries that it has room for. */
  readonly slots: number
  readonly first: IndexEntry | null
  readonly last: IndexEntry | null
  /** Why not all of it was read; null when it was. */
  readonly problem: IndexStop | null
}

export interface IndexStop {
  /** Zeros up to the end: space that was allocated ahead, not damage. */
  readonly isPadding: boolean
  readonly position: number
  readonly reason: string
}

/** Multiple of every entry's size, so that chunks end where entries end. */
const entriesPerChunk = 16 * 1024

/**
 * Reads an index file from its start to its first bad entry, a chunk at a time, whatever its size.
 * `visit` is told each stretch of entries; it may wait, and ends the reading by returning false.
 */
export async function streamIndex(
  file: File,
  kind: IndexKind,
  baseOffset: number,
  visit: (entries: readonly IndexEntry[]) => Promise<boolean>,
): Promise<IndexSummary> {
  const sizeBytes = file.sizeBytes()
  const { entryBytes } = kind
  const slots = Math.floor(sizeBytes / entryBytes)
  let count = 0
  let first: IndexEntry | null = null
  let last: IndexEntry | null = null
  for (;;) {
    // One entry again: whether the next one follows it is part of what is checked.
    const again = count > 0 ? 1 : 0
    const position = (count - again) * entryBytes
    const bytes = await readChunk(
      file,
      position,
      Math.min(sizeBytes - position, entriesPerChunk * entryBytes),
    )
    const decoded = kind.decode(bytes, baseOffset)
    const entries: IndexEntry[] = []
    for (let at = again; at < decoded.count; at += 1) entries.push(decoded.entryAt(at))
    first ??= entries[0] ?? null
    last = entries.at(-1) ?? last
    count += entries.length
    const goesOn = entries.length === 0 || (await visit(entries))
    const isEnd = position + bytes.length >= sizeBytes
    if (decoded.problem !== null) {
      const at = position + decoded.problem.position
      const { kind: problemKind, reason } = decoded.problem
      const isPadding =
        problemKind === 'padding' && (isEnd || (await isZeroFrom(file, at, sizeBytes)))
      return { count, slots, first, last, problem: { isPadding, position: at, reason } }
    }
    if (isEnd || !goesOn) return { count, slots, first, last, problem: null }
  }
}

async function readChunk(file: File, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, await file.read(bytes, position))
}

async function isZeroFrom(file: File, from: number, to: number): Promise<boolean> {
  const zeros = Buffer.alloc(64 * 1024)
  for (let position = from; position < to; position += zeros.length) {
    const bytes = await readChunk(file, position, Math.min(zeros.length, to - position))
    if (!bytes.equals(zeros.subarray(0, bytes.length))) return false
  }
  return true
}
