import { type Channel, channel } from 'node:diagnostics_channel'
import type { Offset, VarveError } from '@varve/record'
import type { RecoveryReport } from './recovery-report.ts'
import type { DeletionReason, SegmentInfo } from './segment-info.ts'

// What the engine tells whoever listens, on `node:diagnostics_channel`. Events are published per
// group, never per record, and cost one check where nobody has subscribed.

/** A group of batches was placed and handed to the kernel. */
export interface WriteEvent {
  readonly log: string
  readonly batches: number
  readonly sizeBytes: number
  readonly firstOffset: Offset
  readonly nextOffset: Offset
  readonly durationMs: number
}

/** Appends were acknowledged. */
export interface AppendEvent {
  readonly log: string
  /** Appends (calls, not records) acknowledged together. */
  readonly appends: number
  readonly firstOffset: Offset
  readonly nextOffset: Offset
}

/** fdatasync returned. */
export interface FlushEvent {
  readonly log: string
  /** Everything below is durable. */
  readonly flushedOffset: Offset
  /** Records that this flush made durable: the size of the group. */
  readonly records: number
  readonly durationMs: number
}

/** A new active segment was started. */
export interface RollEvent {
  readonly log: string
  readonly sealed: SegmentInfo
  readonly baseOffset: Offset
  readonly reason: RollReason
}

/** Why a segment was sealed. */
export type RollReason = 'size' | 'time' | 'indexFull' | 'offsetRange' | 'request'

/** A log was opened: what was found, what was cut. */
export interface RecoverEvent {
  readonly log: string
  readonly report: RecoveryReport
}

/** Segments left the log, and why. */
export interface DeleteEvent {
  readonly log: string
  readonly segments: readonly SegmentInfo[]
  readonly logStartOffset: Offset
  readonly reason: DeletionReason
}

/** Segments were replaced by cleaned ones. */
export interface ReplaceEvent {
  readonly log: string
  readonly replaced: readonly SegmentInfo[]
  readonly added: readonly SegmentInfo[]
}

/** Damage was found: while reading, while opening, or in a derived file that was then rebuilt. */
export interface CorruptionEvent {
  readonly log: string
  readonly path: string
  readonly error: VarveError | string
}

/** A write or flush failed and took the log offline. */
export interface OfflineEvent {
  readonly log: string
  readonly error: VarveError
}

/** The channels by event: `diagnostics_channel.subscribe(logChannels.flush.name, …)`. */
export const logChannels: {
  readonly append: Channel<unknown, AppendEvent>
  readonly write: Channel<unknown, WriteEvent>
  readonly flush: Channel<unknown, FlushEvent>
  readonly roll: Channel<unknown, RollEvent>
  readonly recover: Channel<unknown, RecoverEvent>
  readonly delete: Channel<unknown, DeleteEvent>
  readonly replace: Channel<unknown, ReplaceEvent>
  readonly corruption: Channel<unknown, CorruptionEvent>
  readonly offline: Channel<unknown, OfflineEvent>
} = {
  append: named('varve:log:append'),
  write: named('varve:log:write'),
  flush: named('varve:log:flush'),
  roll: named('varve:log:roll'),
  recover: named('varve:log:recover'),
  delete: named('varve:log:delete'),
  replace: named('varve:log:replace'),
  corruption: named('varve:log:corruption'),
  offline: named('varve:log:offline'),
}

function named<Event>(name: string): Channel<unknown, Event> {
  return channel(name) as Channel<unknown, Event>
}
