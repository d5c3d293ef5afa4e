import type { Clock, Log } from '@varve/log'
import type { Timestamp } from '@varve/record'
import type { RawRecord } from '../handling/handled-record.ts'
import type { QueueState } from './queue-state-log.ts'

/** What one partition of a queue stands on, and whom it tells what. */
export interface QueuePartitionContext {
  readonly queue: string
  readonly topic: string
  readonly partition: number
  readonly log: Log
  readonly state: QueueState
  readonly clock: Clock
  readonly isOrdered: boolean
  readonly maxDeliveries: number
  readonly windowRecords: number
  readonly windowBytes: number
  /** How long after its timestamp a record is delivered, in ms; -1 for ever. Asked each time. */
  recordTtlMs(): number
  /** Takes a record that is not to be delivered again; null where nobody does. */
  readonly deadLetter: ((record: RawRecord, failure: DeliveryFailure) => Promise<void>) | null
  /** A record can be taken. */
  ready(): void
  /** Somebody no longer has a record. */
  freed(): void
  /** Something that nobody waits for went wrong, and is tried again. */
  troubled(error: unknown): void
  /** Nothing more will come. */
  failed(error: unknown): void
}

/** Why a record goes to the dead letters. */
export interface DeliveryFailure {
  readonly attempts: number
  readonly error: unknown
  readonly timestamp: Timestamp
}
