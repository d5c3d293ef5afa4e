import type { Logger } from '@varve/broker'
import type { Partition } from '@varve/broker/serving'
import { type Isolation, type Log, OffsetOutOfRangeError } from '@varve/log'
import type { Offset } from '@varve/record'
import { kafkaErrorOf, toldError } from '../base/kafka-error.ts'
import type { ResponseOf } from '../protocol/api-declaration.ts'
import type { fetch } from '../protocol/apis/fetch.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import type { WantedPartition } from './fetch-session.ts'
import { leaderEpochError } from './leader-epoch-error.ts'

export type PartitionAnswer = NonNullable<
  ResponseOf<typeof fetch>['responses']
>[number]['partitions'][number]

/** So much of what is asked for at once. */
export interface ReadLimit {
  readonly maxBytes: number
  /** Whether the first batch comes whatever its size. */
  readonly isFirstWhole: boolean
}

/** What partitions of a fetch are read with. */
export interface ReadingContext {
  readonly isolation: Isolation
  readonly logger: Logger
  /** Memory for so many bytes of records. */
  readonly memory: (sizeBytes: number) => Buffer
}

const noRecords: readonly Uint8Array[] = []

/** One partition of one fetch. */
export class PartitionReading {
  readonly key: string
  readonly wanted: WantedPartition
  /** Null where it cannot be read. */
  readonly log: Log | null
  readonly #context: ReadingContext
  /** Why there is nothing to be waited for; 0 for no reason. */
  #errorCode: number
  answer: PartitionAnswer | null = null
  sizeBytes = 0
  /** Those of them that are in memory. */
  readBytes = 0

  constructor(
    key: string,
    wanted: WantedPartition,
    partition: Pick<Partition, 'log'> | number,
    context: ReadingContext,
  ) {
    this.key = key
    this.wanted = wanted
    this.#context = context
    this.log = null
    this.#errorCode = errorCodes.NONE
    if (typeof partition === 'number') this.#errorCode = partition
    else {
      try {
        const { log } = partition
        this.log = log
        this.#errorCode = leaderEpochError(log, wanted.currentLeaderEpoch)
      } catch (error) {
        this.#errorCode = this.#codeOf(error)
      }
    }
  }

  /** Whether something can be said at once: there are records, or something is wrong. */
  get hasNews(): boolean {
    const { log } = this
    if (log === null || this.#errorCode !== errorCodes.NONE) return true
    const { fetchOffset } = this.wanted
    if (fetchOffset < this.#endOf(log) || fetchOffset > log.logEndOffset) return true
    // A client that knows of epochs is answered by them; at the log's end that is cheap.
    return this.wanted.lastFetchedEpoch >= 0 && this.#isDiverging(log)
  }

  /** Whether the answer is one to be given without further waiting. */
  get isUrgent(): boolean {
    const { errorCode = 0, divergingEpoch } = this.answer ?? {}
    return errorCode !== errorCodes.NONE || divergingEpoch !== undefined
  }

  /** Makes the answer; a promise where the records have to be waited for. */
  read(limit: ReadLimit): Promise<void> | undefined {
    const { log, wanted } = this
    this.sizeBytes = 0
    this.readBytes = 0
    if (log === null || this.#errorCode !== errorCodes.NONE) {
      this.answer = refused(wanted.partition, this.#errorCode)
      return undefined
    }
    try {
      const divergence = this.#divergence(log)
      if (divergence !== null) {
        this.answer = { ...this.#answerOf(log), ...divergence }
        return undefined
      }
      const found = this.#find(log, limit)
      if (!(found instanceof Promise)) {
        this.#found(log, found)
        return undefined
      }
      return found.then(
        (later) => this.#found(log, later),
        (error: unknown) => this.#failed(error),
      )
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  #find(log: Log, { maxBytes, isFirstWhole }: ReadLimit): ReturnType<Log['readBytes']> {
    const { fetchOffset: from } = this.wanted
    const least = Math.max(0, Math.min(this.wanted.maxBytes, maxBytes))
    const { isolation, memory } = this.#context
    const limit = { from, maxBytes: least, isFirstWhole }
    return log.readBytes({ ...limit, isolation, memory, mayDefer: true })
  }

  #found(log: Log, found: Awaited<ReturnType<Log['readBytes']>>): void {
    this.sizeBytes = found.sizeBytes
    this.readBytes = found.stretch === null ? found.sizeBytes : 0
    const isCommitted = this.#context.isolation === 'committed'
    this.answer = {
      ...this.#answerOf(log),
      abortedTransactions: isCommitted
        ? found.abortedTransactions.map(({ producerId, firstOffset }) => {
            return { producerId, firstOffset }
          })
        : null,
      records: found.stretch === null ? found.pieces : [found.stretch],
    }
  }

  #failed(error: unknown): void {
    this.#errorCode = this.#codeOf(error)
    const { partition } = this.wanted
    const isOutside = this.#errorCode === errorCodes.OFFSET_OUT_OF_RANGE && this.log !== null
    const offsets = isOutside && this.log !== null ? offsetsOf(this.log) : {}
    this.answer = { ...refused(partition, this.#errorCode), ...offsets }
  }

  #codeOf(error: unknown): number {
    if (kafkaErrorOf(error) === null) this.#context.logger.error({ err: error }, 'reading failed')
    return toldError(error).errorCode
  }

  #answerOf(log: Log): PartitionAnswer {
    return {
      partitionIndex: this.wanted.partition,
      errorCode: errorCodes.NONE,
      ...offsetsOf(log),
      abortedTransactions: this.#context.isolation === 'committed' ? [] : null,
      records: noRecords,
    }
  }

  /** Where the client's records are not the log's any more: an epoch of its ended earlier here. */
  #divergence(log: Log): Pick<PartitionAnswer, 'divergingEpoch'> | null {
    const { lastFetchedEpoch, fetchOffset } = this.wanted
    if (lastFetchedEpoch < 0) return null
    const end = fetchOffset < log.logStartOffset ? null : log.endOfLeaderEpoch(lastFetchedEpoch)
    if (end === null) {
      const { name, logStartOffset, logEndOffset } = log
      throw new OffsetOutOfRangeError(name, fetchOffset, logStartOffset, logEndOffset)
    }
    if (end.epoch >= lastFetchedEpoch && end.endOffset >= fetchOffset) return null
    return { divergingEpoch: end }
  }

  #isDiverging(log: Log): boolean {
    try {
      return this.#divergence(log) !== null
    } catch {
      return true
    }
  }

  #endOf(log: Log): Offset {
    return this.#context.isolation === 'committed' ? log.lastStableOffset : log.highWatermark
  }
}

function offsetsOf({ highWatermark, lastStableOffset, logStartOffset }: Log): {
  highWatermark: Offset
  lastStableOffset: Offset
  logStartOffset: Offset
} {
  return { highWatermark, lastStableOffset, logStartOffset }
}

function refused(partitionIndex: number, errorCode: number): PartitionAnswer {
  const abortedTransactions = null
  return { partitionIndex, errorCode, highWatermark: -1, abortedTransactions, records: noRecords }
}
