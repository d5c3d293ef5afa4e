import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { FileSystem } from '@varve/log'
import { CompactionFailedError } from '../cleaning-errors.ts'
import type { CompactionTask, RoundResult } from '../compaction/compaction-task.ts'
import { removeCleaned } from '../compaction/group-writer.ts'
import type { CompactionExecutor } from '../compaction/log-compaction.ts'
import type { WorkerAnswer, WorkerMessage, WorkerOutcome } from './worker-messages.ts'
import type { WorkerPool } from './worker-pool.ts'

type Callbacks = Parameters<CompactionExecutor['run']>[1]

/**
 * Compacts in worker threads. A worker reads segments and writes `.cleaned` files; what it has
 * written is put in place here, by the log. A worker that comes to an end, whatever the reason,
 * leaves nothing behind but such files, and they are removed.
 */
export function workerExecutor(pool: WorkerPool, fs: FileSystem): CompactionExecutor {
  return { run: (task, callbacks) => new WorkerRound(pool, fs, task, callbacks).run() }
}

class WorkerRound {
  readonly #pool: WorkerPool
  readonly #fs: FileSystem
  readonly #task: CompactionTask
  readonly #callbacks: Callbacks
  #replacing: Promise<void> = Promise.resolve()
  /** What a replacement was refused with; the worker is told only that it was. */
  #refusal: { readonly error: unknown } | null = null

  constructor(pool: WorkerPool, fs: FileSystem, task: CompactionTask, callbacks: Callbacks) {
    this.#pool = pool
    this.#fs = fs
    this.#task = task
    this.#callbacks = callbacks
  }

  async run(): Promise<RoundResult> {
    const { signal } = this.#callbacks
    signal?.throwIfAborted()
    const { port1, port2 } = new MessageChannel()
    port1.on('message', (message: WorkerMessage) => {
      this.#pool.answer(() => this.#receive(port1, message))
    })
    try {
      const outcome = await this.#pool.run({ task: this.#task, port: port2 }, signal)
      return this.#resultOf(outcome)
    } catch (error) {
      await this.#cleanUp()
      if (this.#refusal !== null) throw this.#refusal.error
      signal?.throwIfAborted()
      throw error instanceof CompactionFailedError ? error : this.#failed(error)
    } finally {
      port1.close()
    }
  }

  #receive(port: MessagePort, message: WorkerMessage): void {
    if (message.kind === 'progress') {
      this.#callbacks.progress(message.progress)
      return
    }
    const answer = (isReplaced: boolean): void => {
      port.postMessage({ isReplaced } satisfies WorkerAnswer)
    }
    this.#replacing = this.#callbacks.replace(message.group).then(
      () => answer(true),
      (error: unknown) => {
        this.#refusal = { error }
        answer(false)
      },
    )
  }

  #resultOf(outcome: WorkerOutcome): RoundResult {
    if (outcome.isDone) return outcome.result
    throw new CompactionFailedError(this.#task.log, outcome.message, outcome.code)
  }

  /** The thread is gone; what the log is doing for it is seen to its end first. */
  async #cleanUp(): Promise<void> {
    await this.#replacing
    if (!this.#task.isDryRun) {
      await removeCleaned(this.#fs, this.#task.directory).catch(() => undefined)
    }
  }

  #failed(error: unknown): CompactionFailedError {
    const message = error instanceof Error ? error.message : String(error)
    return new CompactionFailedError(this.#task.log, `its worker ended: ${message}`, null)
  }
}
