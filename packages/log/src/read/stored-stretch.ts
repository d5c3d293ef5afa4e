import { CorruptBatchError, type FilePosition } from '@varve/record'
import type { ReadableSegment, ReadSource } from '../segments/read-source.ts'
import type { File } from '../storage/file-system.ts'

/**
 * Batches that lie one after the other in a segment's file and have not been read: only their sizes
 * and offsets were looked at. Read piece by piece while they are passed on, they need little memory
 * and are still in the processor's cache when they are copied on.
 *
 * From the first read on it keeps the file, whatever retention or compaction do: until all is read,
 * or it is closed. Before that nothing has to be closed.
 */
export class StoredStretch {
  /** In bytes. */
  readonly length: number
  readonly #source: ReadSource
  readonly #segment: ReadableSegment
  readonly #position: FilePosition
  #file: File | null = null
  #isReading = false
  #isClosed = false

  constructor(
    source: ReadSource,
    place: { readonly segment: ReadableSegment; readonly position: FilePosition },
    length: number,
  ) {
    this.#source = source
    this.#segment = place.segment
    this.#position = place.position
    this.length = length
  }

  /**
   * Fills `target` with the bytes from `from` on; a promise where a disk may have to be waited for.
   * One read at a time. Throws, or rejects with, CorruptBatchError where they are not there any
   * more, and errors of the system.
   */
  read(target: Uint8Array, from: number): Promise<void> | undefined {
    const { files, clock } = this.#source
    const file = this.#open()
    const position = this.#position + from
    if (files.loopReads.allows(target.length, clock.monotonic())) {
      files.loopReads.begin(target.length, clock.monotonic())
      const count = file.readSync(target, position)
      files.loopReads.end(clock.monotonic())
      this.#took(target, count, from)
      return undefined
    }
    this.#isReading = true
    return file
      .read(target, position)
      .finally(() => {
        this.#isReading = false
        if (this.#isClosed) this.#letGo()
      })
      .then((count) => this.#took(target, count, from))
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true
    if (!this.#isReading) this.#letGo()
  }

  #open(): File {
    if (this.#file !== null) return this.#file
    const { identity, baseOffset } = this.#segment
    const current = this.#source.segmentFor(baseOffset)
    // Another file may have its name by now.
    if (this.#isClosed || current?.identity !== identity) {
      throw new CorruptBatchError('it was replaced', this.#position)
    }
    this.#file = this.#source.files.borrow(current.path, 'read')
    return this.#file
  }

  #took(target: Uint8Array, count: number, from: number): void {
    if (count < target.length) {
      const end = this.#position + from + count
      throw new CorruptBatchError('the file ends before the data', end)
    }
    if (from + count === this.length) this.close()
  }

  #letGo(): void {
    if (this.#file !== null) this.#source.files.giveBack(this.#file)
    this.#file = null
  }
}
