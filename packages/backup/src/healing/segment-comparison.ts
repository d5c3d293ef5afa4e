import type { File } from '@varve/log'
import { type SegmentDigest, SpineDigest } from '@varve/log/files'
import { type Batch, readBatchAt, VarveError } from '@varve/record'

/**
 * Decides whether a copy of a segment may take the place of what a log has: it must be the segment
 * that the log sealed. Where there is a digest that is proven by it, else by every batch of the log
 * that is still sound.
 */
export class SegmentComparison {
  readonly #file: File
  readonly #digest: SegmentDigest | null
  readonly #spine = new SpineDigest()
  #position = 0
  #differing = 0
  #conflict: number | null = null

  /** @param file the `.log` as it is; `digest` the one of that segment, null where there is none */
  constructor(file: File, digest: SegmentDigest | null) {
    this.#file = file
    this.#digest = digest
  }

  /** The batches of the copy, one after the other. */
  add(batch: Batch): void {
    this.#spine.add(batch.bytes)
    const here = Buffer.alloc(batch.sizeBytes)
    const there = this.#file.readSync(here, this.#position)
    if (there < here.length || !here.equals(batch.bytes)) {
      this.#differing++
      if (isSound(here.subarray(0, there))) this.#conflict ??= this.#position
    }
    this.#position += batch.sizeBytes
  }

  /** Whether the log's own bytes are those of the copy. */
  get isSame(): boolean {
    return this.#differing === 0 && this.#file.sizeBytes() === this.#position
  }

  /** Why the copy is not what the log sealed; null when it is. After the last batch. */
  refusal(): string | null {
    const digest = this.#digest
    if (digest === null) {
      if (this.#conflict === null) return null
      return `the log has another sound batch at position ${this.#conflict}`
    }
    const isSealed =
      digest.sizeBytes === this.#position &&
      digest.batches === this.#spine.batches &&
      digest.spineCrc32c === this.#spine.value
    return isSealed ? null : 'it is not what was sealed, by its digest'
  }
}

function isSound(bytes: Buffer): boolean {
  try {
    const batch = readBatchAt(bytes, 0, bytes.length, 0)
    batch?.validate()
    return batch !== null
  } catch (error) {
    if (error instanceof VarveError) return false
    throw error
  }
}
