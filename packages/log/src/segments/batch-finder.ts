import {
  type Batch,
  batchOverheadBytes,
  batchPrefixBytes,
  type FilePosition,
  type Offset,
  readBatchAt,
  VarveError,
} from '@varve/record'
import { readInt32, readInt64 } from '../base/int64.ts'
import type { FileWindow } from '../storage/file-window.ts'

/** Offsets that a batch can have where it is looked for. */
export interface OffsetBounds {
  /** At least this. */
  readonly from: Offset
  /** Less than this. */
  readonly to: Offset
}

/** The smallest batch there is, an empty one of magic 0. */
export const batchBytesMin = 26
/** Where a batch of any format has its magic. */
export const magicField = 16
const sizeField = 8
/** A larger one is not looked for where sizes cannot be trusted. */
const candidateBytesMax = 256 * 2 ** 20
/** Valid batches tried as the end of a damaged one. */
const triesMax = 16
/** What looking at any candidate costs, as so many bytes of checksum. */
const candidateBytes = 512
/** Of the size of a record's value. */
const varintBytesMax = 5
/** A damaged batch larger than this is not mended. */
const mendedBytesMax = 64 * 2 ** 20

/**
 * How many bytes may be read to test whether a batch stands where one seems to. Enough for any
 * file that a log ever was, and an end to the work that a hostile one can cause.
 */
export class SearchBudget {
  #bytes: number

  constructor(fileBytes: number) {
    this.#bytes = 8 * fileBytes + 64 * 2 ** 20
  }

  spend(bytes: number): boolean {
    this.#bytes -= bytes + candidateBytes
    return this.#bytes >= 0
  }
}

/** Where reading can go on behind a damaged batch. */
export interface Resumption {
  readonly position: FilePosition
  /** The damaged batch, mended; null where that was not possible. */
  readonly mended: Batch | null
}

/**
 * Finds where reading can go on behind a batch whose size cannot be believed: at the next batch
 * that is valid, or at the end. When the bytes up to there are, with another size or magic in
 * their header, a batch with the right checksum, that was the damage, and it is mended.
 */
export async function resumeAfter(
  window: FileWindow,
  position: FilePosition,
  bounds: OffsetBounds,
  budget: SearchBudget,
): Promise<Resumption> {
  let first: FilePosition | null = null
  let from = position + 1
  for (let tries = 0; tries < triesMax; tries += 1) {
    const next = await findBatch(window, from, bounds, budget)
    const mended = await mendHeader(window, position, next ?? window.end, bounds)
    if (mended !== null) return { position: next ?? window.end, mended }
    if (next === null) break
    first ??= next
    from = next + 1
  }
  return { position: first ?? window.end, mended: null }
}

/** The next position at which a valid batch stands that seems to be one of the log's. */
async function findBatch(
  window: FileWindow,
  from: FilePosition,
  bounds: OffsetBounds,
  budget: SearchBudget,
): Promise<FilePosition | null> {
  let position = from
  while (position <= window.end - batchBytesMin) {
    if (!(await window.load(position, batchBytesMin))) return null
    const found = searchWindow(window, position, bounds)
    position = found.position
    if (found.sizeBytes === 0) continue
    if (!budget.spend(found.sizeBytes)) return null
    if (await isBatch(window, position, found.sizeBytes)) return position
    position += 1
  }
  return null
}

/** Whether a batch stands anywhere from a position on. Also true when the budget does not tell. */
export async function mayHoldBatch(
  window: FileWindow,
  from: FilePosition,
  bounds: OffsetBounds,
  budget: SearchBudget,
): Promise<boolean> {
  let position = from
  while (position <= window.end - batchBytesMin) {
    if (!(await window.load(position, batchBytesMin))) return false
    const found = searchWindow(window, position, bounds)
    position = found.position
    if (found.sizeBytes === 0) continue
    if (!budget.spend(found.sizeBytes)) return true
    if (await isChecksumRight(window, position, found.sizeBytes)) return true
    position += 1
  }
  return false
}

/**
 * The next position in memory at which the header could be a batch's; size 0 when there is none.
 */
function searchWindow(
  window: FileWindow,
  from: FilePosition,
  bounds: OffsetBounds,
): { readonly position: FilePosition; readonly sizeBytes: number } {
  const { bytes, start, filled, end } = window
  const last = filled - batchPrefixBytes
  for (let at = from - start; at <= last; at += 1) {
    // The cheapest tests first; most bytes fail one of them.
    if ((bytes[at + magicField] as number) > 2) continue
    const sizeBytes = plausibleSize(bytes, at, end - start - at, bounds)
    if (sizeBytes > 0) return { position: start + at, sizeBytes }
  }
  return { position: start + Math.max(last + 1, from - start + 1), sizeBytes: 0 }
}

/** The size of what could be a batch by its first bytes; 0 when it could not. */
function plausibleSize(bytes: Buffer, at: number, left: number, bounds: OffsetBounds): number {
  const sizeBytes = batchOverheadBytes + readInt32(bytes, at + sizeField)
  if (sizeBytes < batchBytesMin || sizeBytes > left || sizeBytes > candidateBytesMax) return 0
  const offset = readInt64(bytes, at)
  return offset >= bounds.from && offset < bounds.to ? sizeBytes : 0
}

async function isChecksumRight(
  window: FileWindow,
  position: FilePosition,
  sizeBytes: number,
): Promise<boolean> {
  if (!(await window.load(position, sizeBytes))) return false
  return tryRead(window.view(position, sizeBytes), position)?.isChecksumValid() === true
}

async function isBatch(
  window: FileWindow,
  position: FilePosition,
  sizeBytes: number,
): Promise<boolean> {
  if (!(await isChecksumRight(window, position, sizeBytes))) return false
  const lastOffset = tryRead(window.view(position, sizeBytes), position)?.lastOffset ?? 0
  const bounds = { from: lastOffset, to: Number.POSITIVE_INFINITY }
  if (await isBoundary(window, position + sizeBytes, bounds)) return true
  // What follows may be damaged too; or this is no batch of the log, but the value of a record.
  return !(await isValue(window, position, sizeBytes))
}

/** Whether a size stands before a position as before a record's value: of so many bytes or more. */
async function isValue(
  window: FileWindow,
  position: FilePosition,
  sizeBytes: number,
): Promise<boolean> {
  const from = Math.max(0, position - varintBytesMax)
  if (!(await window.load(from, position - from))) return false
  const before = window.view(from, position - from)
  let value = 0
  // A varint, from its last byte, which has no continuation bit, to its first.
  for (let at = before.length - 1; at >= 0; at -= 1) {
    const byte = before[at] ?? 0
    const isLast = at === before.length - 1
    if (isLast !== byte < 0x80) return false
    value = value * 0x80 + (byte & 0x7f)
    const size = Math.floor(value / 2)
    if (value % 2 === 0 && size >= sizeBytes && position + size <= window.end) return true
  }
  return false
}

/** Whether a batch seems to begin at a position, or nothing is there: the file ends. */
export async function isBoundary(
  window: FileWindow,
  position: FilePosition,
  bounds: OffsetBounds,
): Promise<boolean> {
  if (position >= window.end - batchPrefixBytes) return position === window.end
  if (!(await window.load(position, batchPrefixBytes))) return false
  const at = position - window.start
  if ((window.bytes[at + magicField] as number) > 2) return false
  return plausibleSize(window.bytes, at, window.end - position, bounds) > 0
}

/**
 * The bytes from `position` to `end` as one batch whose size and magic were altered: null unless
 * there is a magic with which its checksum is right.
 */
export async function mendHeader(
  window: FileWindow,
  position: FilePosition,
  end: FilePosition,
  bounds: OffsetBounds,
): Promise<Batch | null> {
  const sizeBytes = end - position
  if (sizeBytes < batchBytesMin || sizeBytes > mendedBytesMax) return null
  if (!(await window.load(position, sizeBytes))) return null
  const bytes = Buffer.from(window.view(position, sizeBytes))
  const found = bytes[magicField] ?? 0
  bytes.writeInt32BE(sizeBytes - batchOverheadBytes, sizeField)
  for (const magic of [found, 2, 1, 0]) {
    if (magic > 2) continue
    bytes[magicField] = magic
    const batch = tryRead(bytes, position)
    if (batch === null || !batch.isChecksumValid()) continue
    const offset = batch.magic === 2 ? batch.baseOffset : batch.lastOffset
    if (offset >= bounds.from && offset < bounds.to) return batch
  }
  return null
}

function tryRead(bytes: Buffer, position: FilePosition): Batch | null {
  try {
    return readBatchAt(bytes, 0, bytes.length, position)
  } catch (error) {
    if (error instanceof VarveError) return null
    throw error
  }
}
