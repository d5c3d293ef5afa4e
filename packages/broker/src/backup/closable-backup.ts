import {
  type BackupOptions,
  type BackupReport,
  type BackupSource,
  type Repository,
  runBackup,
} from '@varve/backup'
import { ClosedError } from '../base/broker-errors.ts'

/** A backup of a data directory that is open: closing the directory ends it. */
export class ClosableBackup implements AsyncDisposable {
  readonly #closing = new AbortController()
  #running: Promise<BackupReport> | null = null

  /** Rejects as `runBackup` does, and with ClosedError when it is disposed of meanwhile. */
  run(repository: Repository, source: BackupSource, options: BackupOptions): Promise<BackupReport> {
    const signals = [
      this.#closing.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ]
    const signal = AbortSignal.any(signals)
    this.#running = runBackup(repository, source, { ...options, signal })
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new ClosedError('the data directory'))
    await this.#running?.catch(() => undefined)
  }
}
