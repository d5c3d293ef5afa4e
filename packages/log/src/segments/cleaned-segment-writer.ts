import {
  type Batch,
  emptyBatchOf,
  InvalidArgumentError,
  type Offset,
  type RecordBatch,
  RecordBatchBuilder,
} from '@varve/record'
import { type LogOptions, resolveLogOptions } from '../base/log-options.ts'
import type { SegmentInfo } from '../base/segment-info.ts'
import { encodeSegmentDigest } from '../format/segment-digest.ts'
import { cleanedSuffix } from '../storage/file-names.ts'
import { type File, type FileSystem, writeDurably, writeFully } from '../storage/file-system.ts'
import { nodeFileSystem } from '../storage/node-file-system.ts'
import { inOurWords, withOurErrors } from '../storage/storage-error.ts'
import { ActiveSegment } from './active-segment.ts'
import { segmentPath } from './segment-files.ts'
import { checkPlace } from './segment-recovery.ts'

/** A complete, durable segment under `.cleaned` names, waiting to replace others. Plain data. */
export interface CleanedSegment {
  readonly directory: string
  /** As the segment will be: `path` is its final one. */
  readonly info: SegmentInfo
}

/** Collected before they are written; more would hold the processor longer than others can wait. */
const bufferBytes = 256 * 1024

/** Flushed at once: a gigabyte at the end would hold up the flushes of whoever appends then. */
const flushBytes = 16 * 1024 * 1024

/**
 * Writes a segment that is to replace others: the only way to make one. It needs no open log and
 * may run in another thread. Batches keep their offsets, and are appended in order.
 */
export class CleanedSegmentWriter {
  readonly #fs: FileSystem
  readonly #segment: ActiveSegment
  readonly #file: File
  /** Made with the first batch, and used again and again: garbage of this size is dear. */
  #buffer: Buffer | null = null
  #bufferedBytes = 0
  #position = 0
  #flushedPosition = 0
  /** Of the newest batch; -1, unknown, before the first. */
  #leaderEpoch = -1

  /** `baseOffset`: that of the first segment to be replaced. Leftovers of that name give way. */
  constructor(
    directory: string,
    baseOffset: Offset,
    options: { readonly fs?: FileSystem; readonly log?: LogOptions } = {},
  ) {
    this.#fs = options.fs ?? nodeFileSystem
    const resolved = resolveLogOptions(options.log)
    this.#segment = new ActiveSegment(directory, baseOffset, resolved, { createdMs: 0, jitter: 0 })
    try {
      this.#file = this.#fs.open(`${this.#segment.path}${cleanedSuffix}`, 'replace')
    } catch (error) {
      throw inOurWords('writing a cleaned segment', error)
    }
  }

  get sizeBytes(): number {
    return this.#segment.sizeBytes
  }

  /**
   * One at a time: the batch's bytes, and the writer, are free again when it resolves. Rejects with
   * CorruptBatchError when the offsets do not rise.
   */
  async append(batch: Batch): Promise<void> {
    checkPlace(batch, this.#segment)
    this.#segment.add(batch)
    this.#leaderEpoch = batch.leaderEpoch
    if (this.#bufferedBytes + batch.sizeBytes > bufferBytes) {
      await withOurErrors('writing a cleaned segment', () => this.#write(batch))
      return
    }
    this.#collect(batch)
  }

  #collect(batch: Batch): void {
    this.#buffer ??= Buffer.allocUnsafeSlow(bufferBytes)
    this.#buffer.set(batch.bytes, this.#bufferedBytes)
    this.#bufferedBytes += batch.sizeBytes
  }

  /** Notes an aborted transaction whose marker is in this segment. In order of the markers. */
  addAbortedTransaction(transaction: {
    readonly producerId: number
    readonly firstOffset: Offset
    readonly lastOffset: Offset
    readonly lastStableOffset: Offset
  }): void {
    this.#segment.transactionIndex.append(transaction)
  }

  /**
   * Makes everything durable. `nextOffset`: where the next segment begins, another one of these or
   * the one after those that are replaced. When nothing is left of the last offsets before it, a
   * batch without records takes their place, as Kafka's cleaner leaves one: a segment that ends
   * where the next begins has lost nothing, and recovery knows how far the replacement reaches.
   */
  async finish(nextOffset: Offset): Promise<CleanedSegment> {
    const segment = this.#segment
    const most = segment.baseOffset + 2 ** 31
    if (!(nextOffset >= segment.nextOffset && nextOffset <= most)) {
      const rule = `must be from the end of what was appended, ${segment.nextOffset}, to ${most}`
      throw new InvalidArgumentError('nextOffset', nextOffset, rule)
    }
    if (nextOffset > segment.nextOffset) await this.append(this.#placeholder(nextOffset - 1))
    return withOurErrors('writing a cleaned segment', () => this.#finish())
  }

  async #finish(): Promise<CleanedSegment> {
    const segment = this.#segment
    await this.#write(null)
    await this.#file.datasync()
    this.#file.close()
    segment.completeTimeIndex()
    await this.#writeDerived('index', segment.offsetIndex.bytes())
    await this.#writeDerived('timeindex', segment.timeIndex.bytes())
    // Also when it is empty: recovery tells the new segment's files from the old one's by their
    // names, and this name would otherwise be ambiguous.
    await this.#writeDerived('txnindex', segment.transactionIndex.encode())
    const digest = encodeSegmentDigest(segment.digest())
    await this.#writeDerived('digest', digest)
    await this.#fs.syncDirectory(segment.directory)
    return { directory: segment.directory, info: segment.info() }
  }

  /** Gives up: removes what was written. */
  async abandon(): Promise<void> {
    this.#file.close()
    const path = `${this.#segment.path}${cleanedSuffix}`
    await withOurErrors('removing a cleaned segment', () => this.#fs.remove(path))
  }

  /** A batch without records at one offset; of no producer, and of a time that is there already. */
  #placeholder(offset: Offset): RecordBatch {
    const options = { baseOffset: offset, leaderEpoch: this.#leaderEpoch }
    const timestamp = this.#segment.maxTimestamp
    return emptyBatchOf(new RecordBatchBuilder(options).append({ timestamp }).build())
  }

  /** Writes what was collected, and then collects, or if it is large writes, one more batch. */
  async #write(next: Batch | null): Promise<void> {
    const collected = this.#buffer?.subarray(0, this.#bufferedBytes)
    if (collected !== undefined) await this.#writeBytes(collected)
    this.#bufferedBytes = 0
    if (next === null) return
    if (next.sizeBytes > bufferBytes) await this.#writeBytes(next.bytes)
    else this.#collect(next)
  }

  async #writeBytes(bytes: Buffer): Promise<void> {
    await writeFully(this.#file, bytes, this.#position)
    this.#position += bytes.length
    if (this.#position - this.#flushedPosition < flushBytes) return
    await this.#file.datasync()
    this.#flushedPosition = this.#position
  }

  async #writeDerived(
    kind: 'index' | 'timeindex' | 'txnindex' | 'digest',
    bytes: Uint8Array,
  ): Promise<void> {
    const { directory, baseOffset } = this.#segment
    await writeDurably(
      this.#fs,
      `${segmentPath(directory, baseOffset, kind)}${cleanedSuffix}`,
      bytes,
    )
  }
}
