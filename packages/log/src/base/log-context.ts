import type { FileSystem } from '../storage/file-system.ts'
import type { OpenFiles } from '../storage/open-files.ts'
import type { Clock } from './clock.ts'
import type { LogCheckpoints } from './log-checkpoints.ts'
import type { ResolvedLogOptions } from './log-options.ts'

/** Where a log lives and what it works with: everything that is there before the log is read. */
export interface LogContext {
  /** For messages and events: the name of the log's directory. */
  readonly name: string
  readonly directory: string
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  readonly options: ResolvedLogOptions
  readonly checkpoints: LogCheckpoints
}
