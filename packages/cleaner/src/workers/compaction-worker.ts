import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import type { CleanedGroup, CompactionProgress } from '../compaction/compaction-task.ts'
import type {
  WorkerAnswer,
  WorkerMessage,
  WorkerOutcome,
  WorkerRequest,
} from './worker-messages.ts'

// Appends come first where processors are short. On Linux this concerns the calling thread only,
// elsewhere it would be the whole process.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL)

// After that, since loading is work too.
const { nodeFileSystem, systemClock } = await import('@varve/log')
const { compactRound } = await import('../compaction/compaction-round.ts')
const { blockingFileSystem } = await import('./blocking-file-system.ts')
const { ProcessorBreaks } = await import('./processor-breaks.ts')

/** Each is a message, which wakes the thread of whoever appends. */
const progressIntervalMs = 100

/** Runs a round in a worker thread. Never rejects. */
export async function compact({ task, port, traffic }: WorkerRequest): Promise<WorkerOutcome> {
  const post = (message: WorkerMessage): void => port.postMessage(message)
  const replace = async (group: CleanedGroup): Promise<void> => {
    post({ kind: 'replace', group })
    const [answer] = (await once(port, 'message')) as [WorkerAnswer]
    if (!answer.isReplaced) throw new Error('the cleaned segments were not put in place')
  }
  try {
    const result = await compactRound(task, {
      fs: blockingFileSystem(
        nodeFileSystem,
        new ProcessorBreaks(systemClock, traffic, task.restMs),
      ),
      clock: systemClock,
      // A worker is stopped by ending its thread.
      signal: null,
      replace,
      progress: nowAndThen((progress) => post({ kind: 'progress', progress })),
    })
    return { isDone: true, result }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const code = error instanceof Error && 'code' in error ? String(error.code) : null
    return { isDone: false, message, code }
  } finally {
    port.close()
  }
}

/** Tells of the beginning and the end of each phase, and in between at its interval. */
function nowAndThen(
  tell: (progress: CompactionProgress) => void,
): (progress: CompactionProgress) => void {
  let phase: CompactionProgress['phase'] | null = null
  let toldMs = 0
  return (progress) => {
    const nowMs = systemClock.monotonic()
    const isEdge = progress.phase !== phase || progress.doneBytes === progress.totalBytes
    if (!isEdge && nowMs - toldMs < progressIntervalMs) return
    phase = progress.phase
    toldMs = nowMs
    tell(progress)
  }
}
