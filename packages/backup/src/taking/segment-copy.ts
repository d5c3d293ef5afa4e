import type { IoThrottle } from '@varve/log/pacing'
import type { Offset } from '@varve/record'
import type { SegmentDamage, StoredExtent, StoredSegment } from '../format/partition-list.ts'
import { objectKey, type Repository } from '../repository/repository.ts'
import type { SegmentSnapshot } from '../source/source-snapshot.ts'
import type { ExtentEncoder } from './extent-encoder.ts'
import type { ExtentResult, ExtentTask, SegmentProgress } from './extent-task.ts'
import type { KnownObjects } from './known-objects.ts'

/** What copying segments needs, the same for all of a backup. */
export interface CopyContext {
  readonly repository: Repository
  readonly encoder: ExtentEncoder
  readonly known: KnownObjects
  /** The name of the set that takes new objects, and its index in the manifest. */
  readonly set: string
  readonly setIndex: number
  readonly reading: IoThrottle
  readonly uploading: IoThrottle
  readonly signal: AbortSignal | null
  /** Bytes of a segment were read and are stored. */
  readonly advanced: (step: CopyStep) => void
}

export interface CopyStep {
  readonly readBytes: number
  readonly newObjects: number
  readonly newBytes: number
  readonly recordBatches: number
}

/** What of a segment needs no reading. */
export interface TakenOver {
  readonly extents: readonly StoredExtent[]
  readonly maxTimestamp: number
  /** No batch behind them begins before it. */
  readonly nextOffset: Offset
}

/**
 * Reads a segment, from where it is not known yet to its end, checks its batches and stores it.
 * Bytes that are damaged are stored as they are.
 */
export async function copySegment(
  context: CopyContext,
  segment: SegmentSnapshot,
  taken: TakenOver,
): Promise<StoredSegment> {
  const copy = new SegmentCopy(context, segment, taken)
  await copy.run()
  return copy.stored()
}

/**
 * Whether a segment still has, where it ended when it was stored, what it had there. If it was cut
 * back since, and written on, it has not.
 */
export async function isExtentSame(
  context: CopyContext,
  segment: SegmentSnapshot,
  before: StoredSegment,
  extent: StoredExtent,
): Promise<boolean> {
  const copy = new SegmentCopy(context, segment, { extents: [], maxTimestamp: -1, nextOffset: 0 })
  const position = before.sizeBytes - extent.sizeBytes
  const id = await copy.idOf(position, before.sizeBytes, extent)
  return id.equals(extent.id)
}

class SegmentCopy {
  readonly #context: CopyContext
  readonly #segment: SegmentSnapshot
  readonly extents: StoredExtent[]
  position: number
  maxTimestamp: number
  damage: SegmentDamage | null = null
  #progress: SegmentProgress | null
  /** The object before is stored while the next one is made. */
  #storing: Promise<void> = Promise.resolve()

  constructor(context: CopyContext, segment: SegmentSnapshot, taken: TakenOver) {
    this.#context = context
    this.#segment = segment
    this.extents = [...taken.extents]
    this.position = taken.extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    this.maxTimestamp = taken.maxTimestamp
    this.#progress = {
      isSealed: segment.isSealed,
      nextOffset: taken.nextOffset,
      spine: this.position === 0 ? { crc: 0, batches: 0 } : null,
      digestPath: digestPathOf(segment.sourcePath),
    }
  }

  stored(): StoredSegment {
    const { baseOffset, nextOffset, isSealed, fileId, modifiedMs } = this.#segment
    const { extents, damage, maxTimestamp, position: sizeBytes } = this
    const set = this.#context.setIndex
    return {
      ...{ baseOffset, nextOffset, sizeBytes, maxTimestamp, isSealed, fileId, modifiedMs, set },
      ...{ extents, damage },
    }
  }

  /** Of what lies between two positions, which `known` is believed to be. */
  async idOf(from: number, to: number, known: StoredExtent): Promise<Buffer> {
    const prefixes = BigUint64Array.of(known.id.readBigUInt64BE(0))
    const task = { ...(await this.#task(prefixes)), position: from, limit: to, isRaw: true }
    const { id } = await this.#context.encoder.encode({ ...task, objectBytes: to - from })
    return Buffer.from(id)
  }

  async run(): Promise<void> {
    try {
      while (this.position < this.#segment.sizeBytes) {
        this.#context.signal?.throwIfAborted()
        if (await this.#next()) break
      }
    } finally {
      await this.#storing
    }
  }

  /** Whether it was the last extent. */
  async #next(): Promise<boolean> {
    const { known, encoder } = this.#context
    const task = await this.#task(known.prefixes)
    let result = await encoder.encode(task)
    const id = Buffer.from(result.id)
    // Eight bytes of it were known, the rest was not.
    if (result.file === null && result.sizeBytes > 0 && !known.has(id.toString('hex'))) {
      result = await encoder.encode({ ...task, known: new BigUint64Array(0) })
    }
    await this.#storing
    this.#storing = this.#store(id, result)
    // Looked at by the next turn, or the end; not unhandled meanwhile.
    this.#storing.catch(() => undefined)
    if (result.sizeBytes > 0) this.extents.push({ id, sizeBytes: result.sizeBytes })
    this.position += result.sizeBytes
    this.maxTimestamp = Math.max(this.maxTimestamp, result.maxTimestamp)
    this.damage ??= result.damage
    this.#progress = result.progress
    return result.isEnd
  }

  async #task(prefixes: BigUint64Array): Promise<ExtentTask> {
    const { repository, reading } = this.#context
    const { file, keys } = repository
    const { path, fileId, sizeBytes: limit, nextOffset: endOffset } = this.#segment
    await reading.spend(Math.min(file.objectBytes, limit - this.position))
    return {
      path,
      fileId,
      position: this.position,
      limit,
      endOffset,
      isRaw: this.damage !== null,
      progress: this.#progress,
      objectBytes: file.objectBytes,
      known: prefixes,
      idKey: keys.naming.idKey,
      epoch: await keys.writingEpoch(),
      repositoryId: file.repositoryId,
    }
  }

  async #store(id: Buffer, result: ExtentResult): Promise<void> {
    const { repository, known, set, uploading, signal } = this.#context
    const { file, sizeBytes, recordBatches } = result
    let stored = 0
    const hex = id.toString('hex')
    if (file !== null && !known.has(hex)) {
      await uploading.spend(file.length)
      const key = objectKey(set, id)
      const mode = known.modeFor(key)
      const given = { mode, ...(signal !== null && { signal }) }
      const isNew = await repository.putObjectFile(key, file, given)
      known.add(hex)
      if (isNew) stored = file.length
    }
    this.#context.advanced({
      readBytes: sizeBytes,
      newObjects: stored > 0 ? 1 : 0,
      newBytes: stored,
      recordBatches,
    })
  }
}

/** Null for one that is being deleted. */
function digestPathOf(path: string): string | null {
  return path.endsWith('.log') ? path.replace(/log$/, 'digest') : null
}
