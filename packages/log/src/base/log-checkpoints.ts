import type { Offset } from '@varve/record'

/**
 * What a log keeps outside its own directory: Kafka keeps the recovery points and log start offsets
 * of all partitions in two files of the data directory, and so does Varve.
 */
export interface LogCheckpoints {
  /** Everything below was flushed when this was written; null when nothing is known. */
  readonly recoveryPoint: Offset | null
  readonly logStartOffset: Offset | null
  /** The file that says it. */
  readonly logStartPath: string
  /** Makes a log start offset durable: before anything below it is deleted. */
  saveLogStartOffset(offset: Offset): Promise<void>
  /** The log was closed cleanly at this recovery point, its end. */
  closed(recoveryPoint: Offset): Promise<void>
}
