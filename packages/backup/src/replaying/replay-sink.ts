import type { Offset, RecordInput } from '@varve/record'
import type { GroupOffset } from '../reading/group-offsets.ts'

/** A topic that records are replayed into. */
export interface ReplayTopic {
  readonly name: string
  /** It needs so many at least. */
  readonly partitions: number
  /** As the source called it. */
  readonly sourceName: string
}

export interface PreparedTopic {
  /** Whether it was not there before. */
  readonly isMade: boolean
  /** What a batch may have, uncompressed. */
  readonly batchBytesMax: number
}

/** Records for one partition, in order; appended one right after the other. */
export interface ReplayBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly RecordInput[]
}

/** How far a replay has come: kept where the records go, and changed together with them. */
export interface ReplayPosition {
  /** Of the target. */
  readonly topic: string
  readonly partition: number
  /** Of the source: the next one to be replayed. */
  readonly offset: Offset
  /** Which topic of the source. */
  readonly metadata: string
}

/** Where records are replayed to: topics of a live data directory, or of a cluster. */
export interface ReplaySink {
  /** For people. */
  readonly name: string
  /**
   * Makes sure that a topic is there with its partitions. Rejects with ReplayRefusedError where it
   * cannot take the records as they are.
   */
  prepareTopic(topic: ReplayTopic): Promise<PreparedTopic>
  /**
   * Takes up a replay by its name: ends what an earlier run of it has left open, and locks that run
   * out. Resolves to where it stood.
   */
  start(replay: string): Promise<readonly ReplayPosition[]>
  /**
   * Appends batches and notes positions, all or nothing. When the places of the records are known,
   * and before they count, calls `placed` with the offset of the first record of each batch.
   */
  write(
    batches: readonly ReplayBatch[],
    positions: readonly ReplayPosition[],
    placed: (baseOffsets: readonly Offset[]) => Promise<void>,
  ): Promise<void>
  /** Of a partition: behind its last record that can be read. */
  endOffset(topic: string, partition: number): Promise<Offset>
  /** Sets what a group has committed. Rejects while the group has members. */
  commitOffsets(group: string, offsets: readonly GroupOffset[]): Promise<void>
}
