import { resolve } from 'node:path'
import type { Repository } from '@varve/backup'
import { BackupMetrics } from '@varve/broker'
import { type Clock, nodeFileSystem, type Timer } from '@varve/log'
import { readSmallFile, replaceSmallFile } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'

/** More series than anybody has repositories and sources for. */
const fileBytesMax = 16 * 1024 * 1024

/**
 * Metrics of backups in a file, as node_exporter's textfile collector reads them. Each command that
 * writes it goes on from what the one before left: counters count on, and what is not known anew
 * stays. Replaced whole. For one command at a time.
 */
export class MetricsFile {
  readonly #path: string
  readonly #metrics = new BackupMetrics()

  private constructor(path: string) {
    this.#path = path
  }

  /** Counts from now on. Rejects with InvalidArgumentError where a file of something else is. */
  static async open(path: string): Promise<MetricsFile> {
    const file = new MetricsFile(resolve(path))
    try {
      const bytes = readSmallFile(nodeFileSystem, path, fileBytesMax)
      const text = bytes?.toString('utf8') ?? ''
      if (text !== '' && !text.startsWith('# HELP varve_backup_')) {
        throw new InvalidArgumentError('metrics-file', path, 'is a file of something else')
      }
      file.#metrics.restore(text)
      // Before anything else: a place that cannot be written to is found out now.
      await file.write()
      return file
    } catch (error) {
      file.#metrics.close()
      throw error
    }
  }

  /** Takes note of how a repository stands. */
  look(repository: Repository): Promise<void> {
    return this.#metrics.look(repository)
  }

  /**
   * Looks at a repository and writes, again and again until that is disposed of. What cannot be
   * written now is later.
   */
  keepWriting(repository: Repository, clock: Clock, intervalMs: number): AsyncDisposable {
    let timer: Timer | null = null
    let writing: Promise<void> = Promise.resolve()
    let isEnded = false
    const wait = (): void => {
      if (!isEnded) timer = clock.setTimer(intervalMs, write)
    }
    const write = (): void => {
      writing = this.write()
        .catch(() => undefined)
        .then(wait)
    }
    this.#metrics.watch(repository)
    wait()
    return {
      [Symbol.asyncDispose]: async () => {
        isEnded = true
        timer?.cancel()
        await writing
        await this.#metrics.look(repository)
        this.#metrics.unwatch(repository)
      },
    }
  }

  async write(): Promise<void> {
    const text = await this.#metrics.text()
    await replaceSmallFile(nodeFileSystem, this.#path, Buffer.from(text))
  }

  /** Writes it once more. */
  async close(): Promise<void> {
    this.#metrics.close()
    await this.write()
  }
}

/** Runs something with a metrics file, if there is to be one. */
export async function withMetricsFile<Result>(
  path: string | undefined,
  use: (metrics: MetricsFile | null) => Promise<Result>,
): Promise<Result> {
  if (path === undefined) return await use(null)
  const metrics = await MetricsFile.open(path)
  let result: Result
  try {
    result = await use(metrics)
  } catch (error) {
    // What went wrong first is what counts.
    await metrics.close().catch(() => undefined)
    throw error
  }
  await metrics.close()
  return result
}
