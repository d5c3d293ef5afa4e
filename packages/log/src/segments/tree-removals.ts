import type { Clock, Timer } from '../base/clock.ts'
import { removeTree } from '../storage/directories.ts'
import type { FileSystem } from '../storage/file-system.ts'

/**
 * Directories whose logs are deleted: renamed already, removed after a while, so that another
 * process that is reading in them can finish (Kafka's `file.delete.delay.ms`). What is left when
 * the process ends is for the next one that opens the data directory.
 */
export class TreeRemovals {
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #timers = new Map<string, Timer>()
  #removing: Promise<void> = Promise.resolve()

  constructor(fs: FileSystem, clock: Clock) {
    this.#fs = fs
    this.#clock = clock
  }

  /** Removes a directory, which has a name of its own already, after the delay in ms. */
  schedule(path: string, delayMs: number): void {
    const timer = this.#clock.setTimer(delayMs, () => this.#remove(path))
    this.#timers.set(path, timer)
  }

  /** Removes at once what still waits, and resolves when nothing is left to do. */
  async finish(): Promise<void> {
    for (const [path, timer] of [...this.#timers]) {
      timer.cancel()
      this.#remove(path)
    }
    await this.#removing
  }

  /** Leaves what still waits to the next opening; what has begun ends. */
  async giveUp(): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    await this.#removing
  }

  #remove(path: string): void {
    this.#timers.delete(path)
    this.#removing = this.#removing.then(async () => {
      try {
        await removeTree(this.#fs, path)
      } catch {
        // The next opening tries again; nothing looks at it any more.
      }
    })
  }
}
