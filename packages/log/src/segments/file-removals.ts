import type { Timer } from '../base/clock.ts'
import type { LogContext } from '../base/log-context.ts'
import { deletedSuffix } from '../storage/file-names.ts'

/**
 * Files that have left the log: renamed to `.deleted` at once, removed after a while, so that
 * another process that is reading them can finish (Kafka's `file.delete.delay.ms`). What is left
 * when the process ends is removed at the next opening.
 */
export class FileRemovals {
  readonly #context: LogContext
  readonly #timers = new Map<Timer, readonly string[]>()
  #removing: Promise<void> = Promise.resolve()

  constructor(context: LogContext) {
    this.#context = context
  }

  /** Removes files, already renamed, after the delay. */
  schedule(paths: readonly string[]): void {
    if (paths.length === 0) return
    const timer = this.#context.clock.setTimer(this.#context.options.fileDeleteDelayMs, () => {
      this.#timers.delete(timer)
      this.#remove(paths)
    })
    this.#timers.set(timer, paths)
  }

  /** Renames files that leave the log; names that are not there are passed over. */
  markDeleted(paths: readonly string[]): readonly string[] {
    const { fs, files } = this.#context
    const marked: string[] = []
    for (const path of paths) {
      if (fs.stat(path) === null) continue
      files.forget(path)
      fs.rename(path, `${path}${deletedSuffix}`)
      marked.push(`${path}${deletedSuffix}`)
    }
    return marked
  }

  /** Removes at once what still waits, and resolves when nothing is left to do. */
  async finish(): Promise<void> {
    for (const [timer, paths] of this.#timers) {
      timer.cancel()
      this.#remove(paths)
    }
    this.#timers.clear()
    await this.#removing
  }

  #remove(paths: readonly string[]): void {
    this.#removing = this.#removing.then(async () => {
      for (const path of paths) await this.#removeOne(path)
    })
  }

  async #removeOne(path: string): Promise<void> {
    this.#context.files.forget(path)
    try {
      await this.#context.fs.remove(path)
    } catch {
      // The next opening tries again; the log itself is none the worse for a file too many.
    }
  }
}
