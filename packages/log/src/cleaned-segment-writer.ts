import { type Batch, InvalidArgumentError, type Offset } from '@varve/record'
import { ActiveSegment } from './active-segment.ts'
import { cleanedSuffix } from './file-names.ts'
import { type File, type FileSystem, writeFully } from './file-system.ts'
import { type LogOptions, resolveLogOptions } from './log-options.ts'
import { nodeFileSystem } from './node-file-system.ts'
import { writeDurably } from './seal-job.ts'
import { encodeSegmentDigest } from './segment-digest.ts'
import { segmentPath } from './segment-files.ts'
import type { SegmentInfo } from './segment-info.ts'
import { checkPlace } from './segment-recovery.ts'

/** A complete, durable segment under `.cleaned` names, waiting to replace others. Plain data. */
export interface CleanedSegment {
  readonly directory: string
  /** As the segment will be: `path` is its final one. */
  readonly info: SegmentInfo
}

/** Written at once. */
const bufferBytes = 1024 * 1024

/**
 * Writes a segment that is to replace others: the only way to make one. It needs no open log and
 * may run in another thread. Batches keep their offsets, and are appended in order.
 */
export class CleanedSegmentWriter {
  readonly #fs: FileSystem
  readonly #segment: ActiveSegment
  readonly #file: File
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  #position = 0

  /** `baseOffset`: that of the first segment to be replaced. Leftovers of that name give way. */
  constructor(
    directory: string,
    baseOffset: Offset,
    options: { readonly fs?: FileSystem; readonly log?: LogOptions } = {},
  ) {
    this.#fs = options.fs ?? nodeFileSystem
    const resolved = resolveLogOptions(options.log)
    this.#segment = new ActiveSegment(directory, baseOffset, resolved, { createdMs: 0, jitter: 0 })
    this.#file = this.#fs.open(`${this.#segment.path}${cleanedSuffix}`, 'replace')
  }

  get sizeBytes(): number {
    return this.#segment.sizeBytes
  }

  /** The bytes are copied. Rejects with CorruptBatchError when the offsets do not rise. */
  async append(batch: Batch): Promise<void> {
    checkPlace(batch, this.#segment)
    this.#segment.add(batch)
    this.#chunks.push(Buffer.from(batch.bytes))
    this.#bufferedBytes += batch.sizeBytes
    if (this.#bufferedBytes >= bufferBytes) await this.#write()
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

  /** Makes everything durable. `nextOffset`: where the segments that it replaces ended. */
  async finish(nextOffset: Offset): Promise<CleanedSegment> {
    const segment = this.#segment
    if (!(nextOffset >= segment.nextOffset)) {
      const rule = `must be at least the end of what was appended, ${segment.nextOffset}`
      throw new InvalidArgumentError('nextOffset', nextOffset, rule)
    }
    await this.#write()
    await this.#file.datasync()
    this.#file.close()
    segment.completeTimeIndex()
    await this.#writeDerived('index', segment.offsetIndex.bytes())
    await this.#writeDerived('timeindex', segment.timeIndex.bytes())
    if (segment.transactionIndex.count > 0) {
      await this.#writeDerived('txnindex', segment.transactionIndex.encode())
    }
    const digest = encodeSegmentDigest({
      sizeBytes: segment.sizeBytes,
      batches: segment.spine.batches,
      nextOffset: segment.nextOffset,
      maxTimestamp: segment.maxTimestamp,
      spineCrc32c: segment.spine.value,
    })
    await this.#writeDerived('digest', digest)
    await this.#fs.syncDirectory(segment.directory)
    return { directory: segment.directory, info: { ...segment.info(), nextOffset } }
  }

  /** Gives up: removes what was written. */
  async abandon(): Promise<void> {
    this.#file.close()
    await this.#fs.remove(`${this.#segment.path}${cleanedSuffix}`)
  }

  async #write(): Promise<void> {
    const bytes = Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#bufferedBytes = 0
    await writeFully(this.#file, bytes, this.#position)
    this.#position += bytes.length
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
