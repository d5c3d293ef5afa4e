import type { Clock } from '../base/clock.ts'
import type { FileSystem, FileWatch } from '../storage/file-system.ts'

/** After a watch could not be had, it is not tried again for so long. */
const retryMs = 1000
/** A watch that nobody has waited for, in so many changes, is ended. */
const unheardMax = 100
/** Changes in a row that were found by looking, and of which nothing was told: it is deaf. */
const missedMax = 3

/**
 * Waits for a file of another process to change: until the system tells of it, where it does, and
 * no longer than until one should look. So a watch that fails costs time, and nothing else.
 */
export class ChangeWatch {
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #path: string
  readonly #waiting = new Set<() => void>()
  #watch: FileWatch | null = null
  /** Not before this is a watch asked for. */
  #retryMs = Number.NEGATIVE_INFINITY
  #changes = 0
  #unheard = 0
  #missed = 0

  constructor(fs: FileSystem, clock: Clock, path: string) {
    this.#fs = fs
    this.#clock = clock
    this.#path = path
  }

  /** To be asked before the file is looked at: what `wait` compares with. */
  begin(): number {
    this.#unheard = 0
    if (this.#watch === null && this.#clock.monotonic() >= this.#retryMs) this.#open()
    return this.#changes
  }

  /** Resolves when it has changed since `begin` gave `seen`, after so long, or at the signal. */
  wait(seen: number, longestMs: number, signal: AbortSignal | null): Promise<void> {
    if (this.#changes !== seen) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel()
        this.#waiting.delete(end)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = this.#clock.setTimer(longestMs, end, { keepsAlive: true })
      this.#waiting.add(end)
      signal?.addEventListener('abort', end)
    })
  }

  /** It had changed, as who looked has found. A watch that did not tell is made anew. */
  found(seen: number): void {
    this.#missed = this.#changes === seen ? this.#missed + 1 : 0
    if (this.#missed < missedMax) return
    this.close()
    this.#retryMs = this.#clock.monotonic() + retryMs
  }

  close(): void {
    this.#watch?.close()
    this.#watch = null
    this.#missed = 0
  }

  #open(): void {
    this.#watch = this.#fs.watch?.(this.#path, () => this.#onChange()) ?? null
    if (this.#watch === null) this.#retryMs = this.#clock.monotonic() + retryMs
  }

  #onChange(): void {
    this.#changes++
    this.#unheard++
    if (this.#unheard > unheardMax) this.close()
    for (const end of [...this.#waiting]) end()
  }
}
