import { type Channel, channel } from 'node:diagnostics_channel'
import type { SegmentInfo } from '@varve/log'
import type { Timestamp } from '@varve/record'
import type { CompactionReason } from './compaction/compaction-plan.ts'
import type { CompactionProgress } from './compaction/compaction-task.ts'
import type { CompactionOutcome } from './compaction/log-compaction.ts'
import type { HeldBack } from './retention/retention-hold.ts'
import type { RetentionDeletion } from './retention/retention-selection.ts'

// What the cleaner tells whoever listens, on `node:diagnostics_channel`.

/** A log was looked at by retention, and something was deleted, or held back by a group. */
export interface RetentionEvent {
  readonly log: string
  readonly deletions: readonly RetentionDeletion[]
  /** What groups keep from being deleted: worth an alarm when it grows. */
  readonly held: readonly HeldBack[]
  /** Groups that have lost records which they had not read. */
  readonly overruled: readonly string[]
}

/** A log was compacted. */
export interface CompactionEvent {
  readonly log: string
  readonly reason: CompactionReason
  readonly outcome: CompactionOutcome
  readonly durationMs: number
}

export interface CompactionProgressEvent extends CompactionProgress {
  readonly log: string
}

/** A log could not be cleaned: it is set aside and tried again later. The others go on. */
export interface CleaningFailureEvent {
  readonly log: string
  readonly task: 'retention' | 'compaction'
  readonly error: Error
  /** In a row, this one included. */
  readonly attempts: number
  readonly retryAtMs: Timestamp
}

/** A sealed segment was read, and every checksum in it was right. */
export interface ScrubEvent {
  readonly log: string
  readonly segment: SegmentInfo
}

/** A sealed segment has changed since it was sealed. */
export interface RotEvent extends ScrubEvent {
  readonly error: Error
}

/** The channels by event: `diagnostics_channel.subscribe(cleanerChannels.compaction.name, …)`. */
export const cleanerChannels: {
  readonly retention: Channel<unknown, RetentionEvent>
  readonly compaction: Channel<unknown, CompactionEvent>
  readonly progress: Channel<unknown, CompactionProgressEvent>
  readonly failure: Channel<unknown, CleaningFailureEvent>
  readonly scrub: Channel<unknown, ScrubEvent>
  readonly rot: Channel<unknown, RotEvent>
} = {
  retention: named('varve:cleaner:retention'),
  compaction: named('varve:cleaner:compaction'),
  progress: named('varve:cleaner:progress'),
  failure: named('varve:cleaner:failure'),
  scrub: named('varve:cleaner:scrub'),
  rot: named('varve:cleaner:rot'),
}

function named<Event>(name: string): Channel<unknown, Event> {
  return channel(name) as Channel<unknown, Event>
}
