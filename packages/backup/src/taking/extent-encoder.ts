import type { File, FileSystem } from '@varve/log'
import { batchSizeAt, readBatchAt, VarveError } from '@varve/record'
import { encodeObject } from '../format/object-file.ts'
import { ObjectNaming } from '../format/object-id.ts'
import type { ExtentResult, ExtentTask } from './extent-task.ts'

/** Whoever turns stretches of segments into objects. */
export interface ExtentEncoder {
  /** Rejects with the system's error when the file cannot be read. */
  encode(task: ExtentTask): Promise<ExtentResult>
  close(): Promise<void>
}

/** In the thread of the caller. */
export function inlineEncoder(fs: FileSystem): ExtentEncoder {
  return {
    encode: async (task) => encodeExtent(fs, task),
    close: async () => {},
  }
}

/** Of what was last read: one extent after the other uses it again. */
let memory: Buffer = Buffer.alloc(0)

/**
 * Reads the next extent of a segment, checks every batch in it, and makes an object of it. An
 * extent ends where a batch ends; a batch that is larger than an object has one to itself.
 */
export function encodeExtent(fs: FileSystem, task: ExtentTask): ExtentResult {
  const file = fs.open(task.path, 'read')
  try {
    if (task.fileId >= 0 && fs.stat(task.path)?.fileId !== task.fileId) {
      throw Object.assign(new Error(`${task.path} was replaced`), { code: 'ESTALE' })
    }
    const found = task.isRaw ? readRaw(file, task) : readBatchesOf(file, task)
    const content = memory.subarray(0, found.sizeBytes)
    const naming = new ObjectNaming(task.idKey === null ? null : Buffer.from(task.idKey))
    const id = naming.idOf('data', content)
    const isKnown = content.length === 0 || includes(task.known, id.readBigUInt64BE(0))
    const encoded = isKnown ? null : encodeContent(content, naming, id, found.isCompressed, task)
    const { isCompressed: _, ...result } = found
    return { ...result, id, file: encoded }
  } finally {
    file.close()
  }
}

function encodeContent(
  content: Buffer,
  naming: ObjectNaming,
  id: Buffer,
  isCompressed: boolean,
  { epoch, repositoryId }: ExtentTask,
): Buffer {
  return encodeObject(content, naming, {
    kind: 'data',
    id,
    // Batches that are compressed are left as they are.
    compresses: !isCompressed,
    epoch: epoch && { id: Buffer.from(epoch.id), key: Buffer.from(epoch.key) },
    repositoryId: Buffer.from(repositoryId),
  })
}

type Found = Omit<ExtentResult, 'id' | 'file'> & { readonly isCompressed: boolean }

function readRaw(file: File, { position, limit, objectBytes }: ExtentTask): Found {
  const sizeBytes = fill(file, position, Math.min(objectBytes, limit - position), 0)
  const isEnd = position + sizeBytes >= limit || sizeBytes === 0
  const nothing = { recordBatches: 0, maxTimestamp: -1, damage: null, isCompressed: false }
  return { sizeBytes, isEnd, ...nothing }
}

function readBatchesOf(file: File, task: ExtentTask): Found {
  const { position, limit, objectBytes, endOffset } = task
  let filled = fill(file, position, Math.min(objectBytes, limit - position), 0)
  let at = 0
  let recordBatches = 0
  let maxTimestamp = -1
  let isCompressed = false
  const found = (isEnd: boolean, reason: string | null = null): Found => ({
    sizeBytes: at,
    recordBatches,
    maxTimestamp,
    isEnd,
    isCompressed,
    damage: reason === null ? null : { position: position + at, reason },
  })
  for (;;) {
    if (position + at === limit) return found(true)
    try {
      const size = batchSizeAt(memory, at, filled, position + at)
      if (size !== null && position + at + size > limit) {
        return found(false, `a batch of ${size} bytes, ${limit - position - at} are there`)
      }
      if (size === null || at + size > filled) {
        if (at > 0 && position + filled < limit) return found(false)
        // The first batch is larger than an object, or the file ends before the batch does.
        const wanted = Math.min(limit - position, Math.max(size ?? 0, objectBytes))
        const before = filled
        filled = fill(file, position, wanted, filled)
        if (filled === before) return found(false, 'the file ends within a batch')
        continue
      }
      const batch = readBatchAt(memory, at, at + size, position + at)
      if (batch === null) return found(false, 'the file ends within a batch')
      if (batch.baseOffset >= endOffset) return found(true)
      batch.validate()
      if (at === 0) isCompressed = batch.compressionType !== 'none'
      recordBatches++
      maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp)
      at += size
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      return found(false, error.message)
    }
  }
}

/** Reads on behind what is there already. Returns how much is there then. */
function fill(file: File, position: number, wanted: number, there: number): number {
  if (memory.length < wanted) {
    const larger = Buffer.allocUnsafeSlow(wanted)
    memory.copy(larger, 0, 0, there)
    memory = larger
  }
  const rest = memory.subarray(there, wanted)
  return there + file.readSync(rest, position + there)
}

/** Whether a sorted list has it. */
function includes(sorted: BigUint64Array, wanted: bigint): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const value = sorted[middle] ?? 0n
    if (value === wanted) return true
    if (value < wanted) low = middle + 1
    else high = middle
  }
  return false
}
