import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { workerThreads } from '../base/worker-threads.ts'
import type { ExtentEncoder } from './extent-encoder.ts'
import type { ExtentOutcome, ExtentResult, ExtentTask } from './extent-task.ts'

/** The worker as it was compiled, also when this file is run from its source. */
const workerUrl: URL = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/taking/encoding-worker.js', import.meta.url)
  : new URL('./encoding-worker.js', import.meta.url)

/** Two fill a disk, and keep the process within 256 MiB; each more takes about 50 MiB. */
const threadsMax = 2

/** How many threads there are unless somebody says otherwise. */
export function defaultThreads(): number {
  return Math.min(threadsMax, availableParallelism())
}

/** In worker threads, for files of the real file system. */
export function encoderPool(threads: number): ExtentEncoder {
  const pool = workerThreads(fileURLToPath(workerUrl), threads)
  return {
    encode: async (task: ExtentTask): Promise<ExtentResult> => {
      const outcome: ExtentOutcome = await pool.run(task, { name: 'encode' })
      if (outcome.isDone) return outcome.result
      throw Object.assign(new Error(outcome.message), { code: outcome.code })
    },
    close: () => pool.destroy(),
  }
}
