import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Piscina } from 'piscina'
import { ThreadTraffic } from './thread-traffic.ts'
import type { WorkerOutcome, WorkerRequest } from './worker-messages.ts'

/**
 * Idle threads end after so long. It is longer than the time from one look for work to the next,
 * because a new thread costs others more than an idle one: for half a second V8 compiles the same
 * functions anew, in its helper threads, which have the priority of the whole process.
 */
const idleMs = 300_000

/** The worker as it was compiled, also when this file is run from its source. */
const workerUrl: URL = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/workers/compaction-worker.js', import.meta.url)
  : new URL('./compaction-worker.js', import.meta.url)

/** Worker threads, started when there is something to do. The only user of `piscina`. */
export class WorkerPool {
  readonly #threads: number
  readonly #filename: string
  readonly #traffic = new ThreadTraffic()
  #madePool: Piscina | null = null

  constructor(threads: number, filename: string = fileURLToPath(workerUrl)) {
    this.#threads = threads
    this.#filename = filename
  }

  /**
   * Runs a round in a thread. Rejects when the thread ends before it does: at the signal, which
   * ends it at once, or by itself.
   */
  async run(
    request: Omit<WorkerRequest, 'traffic'>,
    signal: AbortSignal | null,
  ): Promise<WorkerOutcome> {
    const unwatch = this.#traffic.watch()
    try {
      return await this.#pool().run(
        { ...request, traffic: this.#traffic.flag } satisfies WorkerRequest,
        {
          name: 'compact',
          transferList: [request.port],
          ...(signal !== null && { signal }),
        },
      )
    } finally {
      unwatch()
    }
  }

  /** Does what a message of a worker asks for: no work that workers make way for. */
  answer(message: () => void): void {
    this.#traffic.answer(message)
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await this.#madePool?.destroy()
  }

  /** Loaded when there is work for the first time: a program starts sooner without it. */
  #pool(): Piscina {
    if (this.#madePool !== null) return this.#madePool
    const { Piscina } = createRequire(import.meta.url)('piscina') as typeof import('piscina')
    this.#madePool = new Piscina({
      filename: this.#filename,
      minThreads: 0,
      maxThreads: this.#threads,
      idleTimeout: idleMs,
      // The flags of a test runner would have the worker load sources.
      execArgv: [],
    })
    return this.#madePool
  }
}
