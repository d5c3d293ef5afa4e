import type { Clock, FileSystem } from '@varve/log'
import { compactRound } from './compaction-round.ts'
import type { CompactionExecutor } from './log-compaction.ts'

/** Compacts on the event loop, with whatever file system it is given: for tests, and for tools. */
export function inlineExecutor(fs: FileSystem, clock: Clock): CompactionExecutor {
  return {
    run: (task, callbacks) => compactRound(task, { fs, clock, ...callbacks }),
  }
}
