import { Worker } from 'node:worker_threads'

/** An input at which nothing has moved for so long hangs. */
const hangSeconds = 30

/**
 * Watches from a thread of its own, since a reader that hangs lets nothing else run: it prints the
 * seed of the input at fault and kills the process.
 */
export class HangWatch {
  /** The seed of the input, and how many inputs there were. */
  readonly #shared: Int32Array = new Int32Array(new SharedArrayBuffer(8))
  readonly #worker: Worker

  constructor(name: string) {
    const workerData = { shared: this.#shared, name, hangSeconds }
    this.#worker = new Worker(watcher, { eval: true, execArgv: [], workerData })
    this.#worker.unref()
  }

  /** To be called before every input. */
  note(seed: number): void {
    this.#shared[0] = seed
    Atomics.add(this.#shared, 1, 1)
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

const watcher = `
  const { workerData } = require('node:worker_threads')
  const { writeSync } = require('node:fs')
  const { shared, name, hangSeconds } = workerData
  let seen = 0
  let still = 0
  setInterval(() => {
    const inputs = Atomics.load(shared, 1)
    still = inputs === seen ? still + 1 : 0
    seen = inputs
    if (still < hangSeconds) return
    writeSync(2, name + ' hangs: VARVE_SEED=' + (shared[0] >>> 0) + '\\n')
    process.kill(process.pid, 'SIGKILL')
  }, 1000)
`
