import type { Partition, Topic } from '@varve/broker/serving'
import type { Log, SegmentInfo } from '@varve/log'
import { type Timestamp, VarveError } from '@varve/record'
import type { PartitionAnswer, SegmentAnswer } from './answers.ts'
import type { UiContext } from './ui-context.ts'

/** Times of segments that are remembered: some 100 bytes each. */
const rememberedMax = 20_000

/** Partitions with their segments, as the page draws them. */
export class PartitionAnswers {
  readonly #context: UiContext
  /** When sealed segments begin. One that was compacted has another size, or begins as before. */
  readonly #firstTimestamps = new Map<string, Timestamp>()

  constructor(context: UiContext) {
    this.#context = context
  }

  /** A partition with at most so many segments, the newest. */
  async of(topic: Topic, partition: Partition, segmentsMax: number): Promise<PartitionAnswer> {
    try {
      return await this.#describe(topic, partition, segmentsMax)
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      return unusable(partition.partition, error)
    }
  }

  async #describe(
    topic: Topic,
    { partition, log }: Partition,
    segmentsMax: number,
  ): Promise<PartitionAnswer> {
    const { logStartOffset, highWatermark, lastStableOffset, logEndOffset } = log
    const { flushedOffset, recoveryPoint, leaderEpoch, sizeBytes, segmentCount } = log
    const infos = log.segments(Math.max(0, segmentCount - segmentsMax))
    const segments: SegmentAnswer[] = []
    for (const [index, info] of infos.entries()) {
      const isActive = index === infos.length - 1
      segments.push(await this.#segment(log, info, isActive))
    }
    return {
      ...{ partition, error: log.isFailed ? `the storage of ${log.name} has failed` : null },
      ...{ logStartOffset, highWatermark, lastStableOffset, logEndOffset, flushedOffset },
      ...{ recoveryPoint, leaderEpoch, sizeBytes, segmentCount },
      compactedTo: this.#compactedTo(topic, log),
      segments,
    }
  }

  #compactedTo(topic: Topic, log: Log): number | null {
    if (!topic.settings.cleanupPolicy.includes('compact')) return null
    return this.#context.varve.cleaner.planCompaction(log).firstDirtyOffset
  }

  async #segment(log: Log, info: SegmentInfo, isActive: boolean): Promise<SegmentAnswer> {
    const { baseOffset, nextOffset, sizeBytes, maxTimestamp } = info
    const firstTimestamp = await this.#firstTimestamp(log, info, isActive)
    return { baseOffset, nextOffset, sizeBytes, firstTimestamp, maxTimestamp, isActive }
  }

  async #firstTimestamp(log: Log, info: SegmentInfo, isActive: boolean): Promise<Timestamp> {
    const from = Math.max(info.baseOffset, log.logStartOffset)
    if (info.sizeBytes === 0 || from >= Math.min(info.nextOffset, log.highWatermark)) return -1
    const key = `${info.path} ${info.sizeBytes} ${from}`
    const known = this.#firstTimestamps.get(key)
    if (known !== undefined) return known
    const { batches } = await log.read({ from, maxBytes: 1 })
    // Of a whole batch the largest: the record's own would have to be decompressed.
    const first = batches[0]?.maxTimestamp ?? -1
    if (!isActive) {
      if (this.#firstTimestamps.size >= rememberedMax) this.#firstTimestamps.clear()
      this.#firstTimestamps.set(key, first)
    }
    return Math.min(first, info.maxTimestamp)
  }
}

function unusable(partition: number, error: VarveError): PartitionAnswer {
  const none = { logStartOffset: 0, highWatermark: 0, lastStableOffset: 0, logEndOffset: 0 }
  const nothing = { flushedOffset: 0, recoveryPoint: 0, leaderEpoch: -1, sizeBytes: 0 }
  return {
    ...{ partition, error: error.message, ...none, ...nothing, segmentCount: 0 },
    ...{ compactedTo: null, segments: [] },
  }
}
