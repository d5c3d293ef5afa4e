import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { nodeFileSystem, systemClock } from '@varve/log'
import { compactRound } from '../compaction/compaction-round.ts'
import type { CleanedGroup } from '../compaction/compaction-task.ts'
import { blockingFileSystem } from './blocking-file-system.ts'
import type {
  WorkerAnswer,
  WorkerMessage,
  WorkerOutcome,
  WorkerRequest,
} from './worker-messages.ts'

// Appends come first where processors are short. On Linux this concerns the calling thread only,
// elsewhere it would be the whole process.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL)

/** Runs a round in a worker thread. Never rejects. */
export async function compact({ task, port }: WorkerRequest): Promise<WorkerOutcome> {
  const post = (message: WorkerMessage): void => port.postMessage(message)
  const replace = async (group: CleanedGroup): Promise<void> => {
    post({ kind: 'replace', group })
    const [answer] = (await once(port, 'message')) as [WorkerAnswer]
    if (!answer.isReplaced) throw new Error('the cleaned segments were not put in place')
  }
  try {
    const result = await compactRound(task, {
      fs: blockingFileSystem(nodeFileSystem),
      clock: systemClock,
      // A worker is stopped by ending its thread.
      signal: null,
      replace,
      progress: (progress) => post({ kind: 'progress', progress }),
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
