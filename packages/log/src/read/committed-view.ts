import type { Offset } from '@varve/record'
import { type AbortedTransaction, TransactionIndex } from '../format/transaction-index.ts'
import { loadNewestSnapshot } from '../producers/producer-loading.ts'
import { replayBatch } from '../producers/producer-replay.ts'
import { ProducerStateManager } from '../producers/producer-state.ts'
import type { ReadSource } from '../segments/read-source.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { LogCursor } from './log-cursor.ts'

const readBytes = 1024 * 1024

/**
 * What a reader of committed records in another process has to know of transactions: replayed from
 * the newest producer snapshot on, because the writer keeps what is newer in its memory.
 */
export class CommittedView {
  readonly #source: ReadSource
  readonly #directory: string
  readonly #producers = new ProducerStateManager()
  readonly #recent: TransactionIndex
  readonly #cursor: LogCursor
  #advancing: Promise<void> | null = null
  /** Transactions that were aborted before it are in the index files. */
  readonly startOffset: Offset

  constructor(source: ReadSource, fs: FileSystem, directory: string) {
    this.#source = source
    this.#directory = directory
    const context = { fs, directory, name: source.name }
    const { start } = loadNewestSnapshot(context, this.#producers, source.highWatermark)
    this.startOffset = Math.max(start, source.logStartOffset)
    this.#recent = new TransactionIndex(this.startOffset)
    this.#cursor = new LogCursor(source, {
      from: this.startOffset,
      isolation: 'uncommitted',
      verifyChecksums: false,
      readsAhead: true,
      reusesMemory: false,
    })
  }

  get lastStableOffset(): Offset {
    const { highWatermark, logStartOffset } = this.#source
    const seen = Math.min(highWatermark, this.#cursor.nextOffset)
    return this.#producers.lastStableOffset(Math.max(seen, logStartOffset), logStartOffset)
  }

  /** Whether what it replayed is still part of the log: not deleted or cut since. */
  get isUsable(): boolean {
    const { logStartOffset, highWatermark } = this.#source
    const { nextOffset } = this.#cursor
    return nextOffset >= logStartOffset && nextOffset <= highWatermark
  }

  /** Whether everything that is visible has been replayed. */
  get isCurrent(): boolean {
    return this.#cursor.nextOffset >= this.#source.highWatermark
  }

  /** Replays what has become visible, once for all who ask meanwhile. */
  advance(): Promise<void> {
    this.#advancing ??= this.#replay().finally(() => {
      this.#advancing = null
    })
    return this.#advancing
  }

  async #replay(): Promise<void> {
    while (!this.isCurrent) {
      const batches = await this.#cursor.next(readBytes)
      if (batches.length === 0) return
      for (const batch of batches) {
        const place = { log: this.#source.name, path: this.#directory }
        const completed = replayBatch(this.#producers, batch, place)
        if (completed?.isAborted === true) this.#recent.append(completed)
      }
    }
  }

  /** Aborted transactions whose markers are at or after `startOffset`. */
  aborted(from: Offset, upperBound: Offset): readonly AbortedTransaction[] {
    return this.#recent.collect(from, upperBound).aborted
  }
}
