import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { IntervalFigures } from '../measuring/interval-series.ts'
import type { Measurement } from '../report/run-report.ts'
import { BenchFailedError } from './bench-errors.ts'
import type { FromFollower, ToFollower } from './follower-messages.ts'

/** Node runs what was compiled, wherever this file is run from. */
const program: URL = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/workload/follower-process.js', import.meta.url)
  : new URL('./follower-process.js', import.meta.url)

/** A process of its own that reads what this one writes. */
export class OtherProcess implements Disposable {
  readonly #child: ChildProcess
  readonly #onInterval: (interval: IntervalFigures) => void
  readonly #ready = deferred<void>()
  readonly #done = deferred<Measurement>()

  private constructor(onInterval: (interval: IntervalFigures) => void) {
    this.#onInterval = onInterval
    this.#child = fork(fileURLToPath(program), {
      // Options of this process's Node (a debugger's port, conditions) are not for that one.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message) => this.#heard(message as FromFollower))
    this.#child.on('error', (error) => this.#fail(error.message))
    this.#child.on('exit', (code) => this.#fail(`it ended with exit code ${code}`))
  }

  /** Resolves when records that are sent from now on will be seen. */
  static async start(
    following: Omit<Extract<ToFollower, { kind: 'follow' }>, 'kind'>,
    onInterval: (interval: IntervalFigures) => void,
  ): Promise<OtherProcess> {
    const other = new OtherProcess(onInterval)
    try {
      other.#tell({ kind: 'follow', ...following })
      await other.#ready.promise
      return other
    } catch (error) {
      other[Symbol.dispose]()
      throw error
    }
  }

  /** What it measured, once so many counted records have arrived there. */
  async complete(records: number): Promise<Measurement> {
    this.#tell({ kind: 'expect', records })
    return await this.#done.promise
  }

  [Symbol.dispose](): void {
    this.#child.removeAllListeners()
    this.#child.on('error', () => undefined)
    this.#child.kill()
  }

  #heard(message: FromFollower): void {
    if (message.kind === 'ready') this.#ready.resolve()
    else if (message.kind === 'interval') this.#onInterval(message.interval)
    else if (message.kind === 'done') this.#done.resolve(message.measurement)
    else this.#fail(message.message)
  }

  #fail(reason: string): void {
    const error = new BenchFailedError(`the process that reads records failed: ${reason}`)
    this.#ready.reject(error)
    this.#done.reject(error)
  }

  #tell(message: ToFollower): void {
    this.#child.send(message, (error) => {
      if (error !== null) this.#fail(error.message)
    })
  }
}

interface Deferred<Result> {
  readonly promise: Promise<Result>
  resolve(result: Result): void
  reject(error: Error): void
}

function deferred<Result>(): Deferred<Result> {
  let resolve: (result: Result) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<Result>((onResult, onError) => {
    resolve = onResult
    reject = onError
  })
  // It may fail before anybody waits for it.
  promise.catch(() => undefined)
  return { promise, resolve: (result) => resolve(result), reject: (error) => reject(error) }
}
