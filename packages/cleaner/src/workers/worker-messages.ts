import type { MessagePort } from 'node:worker_threads'
import type {
  CleanedGroup,
  CompactionProgress,
  CompactionTask,
  RoundResult,
} from '../compaction/compaction-task.ts'

// Everything that passes between the log's thread and a worker. Plain data, cloned.

/** What starts a round. */
export interface WorkerRequest {
  readonly task: CompactionTask
  /** For the messages below, while the round runs. */
  readonly port: MessagePort
  /** Shared memory: not 0 while whoever appends and reads needs a processor. */
  readonly traffic: Int32Array
}

/** From the worker. A `replace` is answered by one `WorkerAnswer`. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly progress: CompactionProgress }
  | { readonly kind: 'replace'; readonly group: CleanedGroup }

/** To the worker: whether the group is in its place now. The error stays where it was thrown. */
export interface WorkerAnswer {
  readonly isReplaced: boolean
}

/** What a round ends with. Errors lose their class between threads, so they are told in words. */
export type WorkerOutcome =
  | { readonly isDone: true; readonly result: RoundResult }
  | { readonly isDone: false; readonly message: string; readonly code: string | null }
