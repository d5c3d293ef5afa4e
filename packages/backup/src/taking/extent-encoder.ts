import type { FileSystem } from '@varve/log'
import { encodeObject } from '../format/object-file.ts'
import { ObjectNaming } from '../format/object-id.ts'
import { readExtent } from './extent-reading.ts'
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
    const { content, ...found } = readExtent(fs, file, task)
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
