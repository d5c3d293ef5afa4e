import { type Channel, channel } from 'node:diagnostics_channel'
import type { BackupFigures, BackupKind } from '../format/manifest.ts'

/** A backup exists. */
export interface BackupTakenEvent {
  /** Name of the target. */
  readonly repository: string
  /** The name under which its owner keeps the source. */
  readonly source: string
  readonly backupId: string
  readonly kind: BackupKind
  /** The source was as the backup has it then, in ms since the epoch. */
  readonly takenMs: number
  /** How many stretches of offsets are missing from it. */
  readonly gaps: number
  readonly figures: BackupFigures
}

/** A backup was tried, and there is none. */
export interface BackupFailureEvent {
  readonly repository: string
  readonly source: string
  readonly error: unknown
}

/** Following has looked, and the repository has the source as it was then. */
export interface BackupFollowedEvent {
  readonly repository: string
  readonly source: string
  /** In ms since the epoch. */
  readonly savedMs: number
}

/** For whoever listens on `node:diagnostics_channel`. */
export const backupChannels: {
  readonly taken: Channel<unknown, BackupTakenEvent>
  readonly failure: Channel<unknown, BackupFailureEvent>
  readonly followed: Channel<unknown, BackupFollowedEvent>
} = {
  taken: channel('varve:backup:taken') as Channel<unknown, BackupTakenEvent>,
  failure: channel('varve:backup:failure') as Channel<unknown, BackupFailureEvent>,
  followed: channel('varve:backup:followed') as Channel<unknown, BackupFollowedEvent>,
}
