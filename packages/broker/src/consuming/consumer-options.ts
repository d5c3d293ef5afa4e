import type { Isolation } from '@varve/log'
import { InvalidArgumentError, type Offset, type Timestamp } from '@varve/record'
import type { Deserializer } from '../base/serializers.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { RecordsDeletedError } from './consumer-errors.ts'

/**
 * Where in a partition to begin: with its first record, after its last one, at an offset, or with
 * the first record that has this timestamp or a later one.
 */
export type StartingPoint = 'earliest' | 'latest' | Offset | { readonly timestamp: Timestamp }

/** What a consumer reads, from where, and whom it tells. */
export interface ConsumerOptions<Key, Value> {
  /** Read all partitions of these topics; partitions that are added later too. */
  readonly topics?: readonly string[]
  /** Read these partitions. Instead of `topics`. */
  readonly assignment?: readonly TopicPartition[]
  /** Where to begin where no offset has been committed. @defaultValue 'earliest' */
  readonly from?: StartingPoint
  /**
   * `committed`: nothing of open or aborted transactions, and nothing behind an open one.
   * `uncommitted`: everything that is visible.
   * @defaultValue 'committed'
   */
  readonly isolation?: Isolation
  /** At the ends of the partitions wait for more; else the records end there. @defaultValue true */
  readonly follow?: boolean
  /**
   * When the next record has been deleted: `fail` with RecordsDeletedError, or go on with the
   * `earliest` or `latest` that is there, and tell `onDeleted`.
   * @defaultValue 'fail'
   */
  readonly whenDeleted?: 'fail' | 'earliest' | 'latest'
  /** Told what was passed over because of `whenDeleted`. */
  readonly onDeleted?: (error: RecordsDeletedError) => void
  /** @defaultValue bytes as they are, in Buffers */
  readonly keyDeserializer?: Deserializer<Key>
  /** @defaultValue bytes as they are, in Buffers */
  readonly valueDeserializer?: Deserializer<Value>
  /**
   * Read about so many bytes of a partition at once; a larger batch comes whole.
   * @defaultValue 1 MiB
   */
  readonly fetchBytes?: number
  /** Keep about so many bytes in memory, of all partitions together. @defaultValue 32 MiB */
  readonly bufferBytes?: number
  /** Commit what is done, every so many ms, and when partitions go. @defaultValue never */
  readonly autoCommitMs?: number
  /** Called when partitions have come, before their first record. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => Promise<void> | void
  /**
   * Called when partitions have to go: no more records of them are handed out, and until this
   * resolves offsets of them can be committed.
   */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => Promise<void> | void
  /** Called when partitions have gone already: nothing of them can be committed any more. */
  readonly onLost?: (partitions: readonly TopicPartition[]) => void
  /** Closes the consumer: its records end. */
  readonly signal?: AbortSignal
}

/** Throws InvalidArgumentError. */
export function checkConsumerOptions(options: ConsumerOptions<never, never>): void {
  const { from = 'earliest', isolation, whenDeleted, fetchBytes, bufferBytes } = options
  checkStartingPoint(from)
  choice('isolation', isolation, ['committed', 'uncommitted'])
  choice('whenDeleted', whenDeleted, ['fail', 'earliest', 'latest'])
  positive('fetchBytes', fetchBytes)
  positive('bufferBytes', bufferBytes)
  positive('autoCommitMs', options.autoCommitMs)
}

/** Throws InvalidArgumentError. */
export function checkStartingPoint(from: unknown): void {
  if (from === 'earliest' || from === 'latest' || isCount(from)) return
  if (typeof from === 'object' && from !== null && 'timestamp' in from) {
    if (Number.isSafeInteger(from.timestamp)) return
  }
  const rule = "must be 'earliest', 'latest', an offset or { timestamp }"
  throw new InvalidArgumentError('from', from, rule)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function choice(name: string, value: unknown, values: readonly unknown[]): void {
  if (value === undefined || values.includes(value)) return
  throw new InvalidArgumentError(name, value, `must be one of ${values.join(', ')}`)
}

function positive(name: string, value: unknown): void {
  if (value === undefined || (isCount(value) && value !== 0)) return
  throw new InvalidArgumentError(name, value, 'must be a positive integer')
}
