import { fileURLToPath } from 'node:url'
import { workerThreads } from '../base/worker-threads.ts'
import type { ObjectDecoder } from './object-decoder.ts'
import type { ObjectOutcome, ObjectTask } from './object-task.ts'

/** The worker as it was compiled, also when this file is run from its source. */
const workerUrl: URL = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/reading/decoding-worker.js', import.meta.url)
  : new URL('./decoding-worker.js', import.meta.url)

/** In worker threads. The memory of a task is handed over, and comes back with the outcome. */
export function decoderPool(threads: number): ObjectDecoder {
  const pool = workerThreads(fileURLToPath(workerUrl), threads)
  return {
    decode: (task: ObjectTask): Promise<ObjectOutcome> => {
      const own = [task.isOwn ? task.file : null, task.room].flatMap((bytes) => {
        return bytes?.buffer instanceof ArrayBuffer ? [bytes.buffer] : []
      })
      return pool.run(task, { name: 'decode', transferList: own })
    },
    close: () => pool.destroy(),
  }
}
