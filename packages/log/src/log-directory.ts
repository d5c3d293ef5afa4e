import { randomBytes, randomUUID } from 'node:crypto'
import { InvalidArgumentError, type VarveError } from '@varve/record'
import { type Clock, systemClock, type Timer } from './base/clock.ts'
import type { LogContext } from './base/log-context.ts'
import {
  LogClosedError,
  LogExistsError,
  LogLockedError,
  LogNotFoundError,
} from './base/log-errors.ts'
import {
  type LogOptions,
  type ResolvedLogOptions,
  resolveLogOptions,
  SharedLogOptions,
} from './base/log-options.ts'
import { NamedTurns } from './base/named-turns.ts'
import { randomFraction } from './base/random-fraction.ts'
import { pollTurn } from './base/turns.ts'
import { removeCleanShutdown, writeCleanShutdown } from './format/clean-shutdown.ts'
import { DataCheckpoints } from './format/data-checkpoints.ts'
import type { OffsetCheckpointFile } from './format/offset-checkpoint.ts'
import { isTopicId, newTopicId, writePartitionMetadata } from './format/partition-metadata.ts'
import { refuseUnfinishedRestore } from './format/restore-record.ts'
import { Log } from './log.ts'
import { LogAdoption } from './recovery/log-adoption.ts'
import { loadLog } from './recovery/log-loader.ts'
import { openingError } from './recovery/opening-error.ts'
import { TreeRemovals } from './segments/tree-removals.ts'
import { makeDirectories, refuseLogDirectory } from './storage/directories.ts'
import {
  deletedDirectoryName,
  lockFileName,
  type PartitionDirectoryName,
  parsePartitionDirectoryName,
  partitionDirectoryName,
} from './storage/file-names.ts'
import { type FileLock, type FileSystem, isSystemError } from './storage/file-system.ts'
import { nodeFileSystem } from './storage/node-file-system.ts'
import { OpenFiles } from './storage/open-files.ts'
import { openFilesDefault } from './storage/open-files-limit.ts'
import { checkReadCacheBytes } from './storage/read-cache.ts'
import { withOurErrors } from './storage/storage-error.ts'

/** How a directory of logs is opened. */
export interface LogDirectoryOptions {
  /** Settings of all logs. @defaultValue {} */
  readonly log?: LogOptions
  /** Settings of one log, on top of `log`. @defaultValue none */
  readonly logOptions?: (topic: string, partition: number) => LogOptions
  /** Files kept open, about. @defaultValue a quarter of the system's limit, 512 to 8192 */
  readonly openFilesMax?: number
  /**
   * Memory, at most, for what was read of all logs and may be read again: pages of offset indexes,
   * and batches that single records were read from. Nothing is kept before something was read.
   * @defaultValue 16 MiB
   */
  readonly readCacheBytes?: number
  /** How often recovery points are written for all logs, in ms. @defaultValue 60000 */
  readonly checkpointIntervalMs?: number
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue the system's clock */
  readonly clock?: Clock
  /** 0 to 1. @defaultValue Math.random's kind of numbers */
  readonly random?: () => number
  /**
   * Called when the directory is locked, before anything in it is looked at: to read what decides
   * over `logOptions`, or to finish what concerns logs as a whole. When it rejects, so does
   * opening.
   * @defaultValue nothing
   */
  readonly onLocked?: () => Promise<void>
}

/** Logs opened at the same time: while one waits for its disk, another can be read. */
const openingConcurrency = 4
/** Timers and sockets have their turn after this long, while thousands of logs are opened. */
const pollIntervalMs = 20

/**
 * Many logs in one data directory, laid out as Kafka lays it out, under one lock that a Kafka
 * broker respects too. A partition that is damaged does not keep the others from opening: it stands
 * in `failures` with the reason, untouched.
 */
export class LogDirectory implements AsyncDisposable {
  readonly path: string
  readonly #options: LogDirectoryOptions
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #files: OpenFiles
  readonly #lock: FileLock
  readonly #checkpoints: DataCheckpoints
  readonly #sharedOptions = new SharedLogOptions()
  readonly #logs = new Map<string, Log>()
  readonly #failures = new Map<string, VarveError>()
  /** Logs that failed while they were open and have not been opened again. */
  readonly #crashed = new Set<string>()
  /** A log is made, opened or deleted by one caller at a time: it has one writer. */
  readonly #turns = new NamedTurns()
  /** Of deleted logs. */
  readonly #removals: TreeRemovals
  #timer: Timer | null = null
  #closing: Promise<void> | null = null

  private constructor(path: string, options: LogDirectoryOptions, lock: FileLock) {
    this.path = path
    this.#options = options
    this.#fs = options.fs ?? nodeFileSystem
    this.#clock = options.clock ?? systemClock
    const { openFilesMax = openFilesDefault(), readCacheBytes } = options
    this.#files = new OpenFiles(this.#fs, openFilesMax, readCacheBytes)
    this.#lock = lock
    this.#checkpoints = new DataCheckpoints(this.#fs, path)
    this.#removals = new TreeRemovals(this.#fs, this.#clock)
  }

  /**
   * Opens a data directory, made when it is not there, and every log in it, recovering what a crash
   * left. Rejects with LogLockedError when somebody else has it open for writing, with
   * UnfinishedRestoreError where a restore was interrupted as it took its place.
   */
  static async open(path: string, options: LogDirectoryOptions = {}): Promise<LogDirectory> {
    checkOptions(options)
    return withOurErrors(`opening ${path}`, () => LogDirectory.#open(path, options))
  }

  static async #open(path: string, options: LogDirectoryOptions): Promise<LogDirectory> {
    const fs = options.fs ?? nodeFileSystem
    refuseLogDirectory(fs, path)
    // A directory made now would be in the way of the one that waits.
    refuseUnfinishedRestore(fs, path)
    await makeDirectories(fs, path)
    const lockPath = `${path}/${lockFileName}`
    const lock = await fs.lock(lockPath)
    if (lock === null) throw new LogLockedError(path, fs.lockHolder?.(lockPath) ?? null)
    let directory: LogDirectory | null = null
    try {
      refuseUnfinishedRestore(fs, path)
      await options.onLocked?.()
      directory = new LogDirectory(path, options, lock)
      await directory.#openAll()
      return directory
    } catch (error) {
      if (directory !== null) {
        await directory.#removals.giveUp()
        directory.#files.close()
      }
      lock.release()
      throw error
    }
  }

  /** The logs that are open, by name. */
  get logs(): ReadonlyMap<string, Log> {
    return this.#logs
  }

  /** The logs that could not be opened, by name, and why. They are left as they are. */
  get failures(): ReadonlyMap<string, VarveError> {
    return this.#failures
  }

  /**
   * Kafka's `cleaner-offset-checkpoint`: up to where each compacted log is clean. Whoever compacts
   * reads and writes it here; a log's entry goes with the log.
   */
  get cleanerCheckpoint(): OffsetCheckpointFile {
    return this.#checkpoints.cleaned
  }

  /** Files open now. */
  get openFileCount(): number {
    return this.#files.openCount
  }

  /**
   * A log that is open. Throws LogNotFoundError, or the error with which it could not be opened.
   */
  log(topic: string, partition: number): Log {
    const name = partitionDirectoryName(topic, partition)
    const log = this.#logs.get(name)
    if (log !== undefined) return log
    throw (
      this.#failures.get(name) ?? new LogNotFoundError(`there is no log ${name} in ${this.path}`)
    )
  }

  /**
   * Makes a log. Rejects with LogExistsError, InvalidArgumentError for names Kafka would refuse.
   */
  async createLog(
    topic: string,
    partition: number,
    options: { readonly topicId?: string } = {},
  ): Promise<Log> {
    this.#assertOpen()
    const name = partitionDirectoryName(topic, partition)
    const { topicId = newTopicId(randomBytes) } = options
    if (!isTopicId(topicId)) throw new InvalidArgumentError('topicId', topicId, 'is not a topic id')
    return this.#turns.run(name, () =>
      withOurErrors(`making log ${name}`, async () => {
        await this.#makeDirectory(name)
        try {
          await writePartitionMetadata(this.#fs, `${this.path}/${name}`, topicId)
          await this.#fs.syncDirectory(this.path)
          return await this.#openLog(name, topic, partition, false)
        } catch (error) {
          // It is there from now on, and can be opened when its storage has been mended.
          this.#failures.set(name, openingError(name, error))
          throw error
        }
      }),
    )
  }

  async #makeDirectory(name: string): Promise<void> {
    const directory = `${this.path}/${name}`
    // A deletion that a crash cut short leaves the offsets of a log that is gone.
    if (this.#fs.stat(directory) === null) await this.#checkpoints.forget(name)
    try {
      this.#fs.makeDirectory(directory)
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error
      throw new LogExistsError(`there is a log ${name} in ${this.path} already`)
    }
  }

  /**
   * Opens a log again that was closed, failed or could not be opened before, recovering it: after
   * its storage was mended, or it was repaired. One that is open is closed first.
   */
  async reopenLog(topic: string, partition: number): Promise<Log> {
    this.#assertOpen()
    const name = partitionDirectoryName(topic, partition)
    return this.#turns.run(name, () => this.#reopenLog(name, topic, partition))
  }

  async #reopenLog(name: string, topic: string, partition: number): Promise<Log> {
    await this.#logs
      .get(name)
      ?.close()
      .catch(() => undefined)
    try {
      if (this.#fs.stat(`${this.path}/${name}`)?.isDirectory !== true) {
        throw new LogNotFoundError(`there is no log ${name} in ${this.path}`)
      }
      return await this.#openLog(name, topic, partition, false)
    } catch (error) {
      const failure = openingError(name, error)
      if (!(failure instanceof LogNotFoundError)) this.#failures.set(name, failure)
      throw failure
    }
  }

  /**
   * Deletes a log with its records. As in Kafka its directory is renamed, so that a crash half-way
   * leaves no half log and another log of its name can be made at once; it goes for good after the
   * log's `fileDeleteDelayMs`, or when the data directory is closed. A log that could not be
   * opened, or was closed, is deleted too. Rejects with LogNotFoundError.
   */
  async deleteLog(topic: string, partition: number): Promise<void> {
    this.#assertOpen()
    const name = partitionDirectoryName(topic, partition)
    const { fileDeleteDelayMs } = this.#logOptions(topic, partition)
    await this.#turns.run(name, () => this.#deleteLog(name, fileDeleteDelayMs))
  }

  async #deleteLog(name: string, removalDelayMs: number): Promise<void> {
    const directory = `${this.path}/${name}`
    await withOurErrors(`deleting log ${name}`, async () => {
      if (this.#fs.stat(directory)?.isDirectory !== true) {
        throw new LogNotFoundError(`there is no log ${name} in ${this.path}`)
      }
      await this.#logs
        .get(name)
        ?.close()
        .catch(() => undefined)
      const uniqueId = randomUUID().replaceAll('-', '')
      const gone = `${this.path}/${deletedDirectoryName(name, uniqueId)}`
      this.#files.forgetDirectory(directory)
      this.#fs.rename(directory, gone)
      this.#crashed.delete(name)
      this.#failures.delete(name)
      await this.#fs.syncDirectory(this.path)
      await this.#checkpoints.forget(name)
      this.#removals.schedule(gone, removalDelayMs)
    })
  }

  /** Writes recovery points and high watermarks, as it happens by itself every minute. */
  async checkpoint(): Promise<void> {
    this.#assertOpen()
    const save = () => this.#checkpoints.save(this.#logs.values())
    await withOurErrors('writing checkpoints', save)
  }

  /**
   * Closes every log, and leaves the marker of a clean shutdown when all of them were open and have
   * closed without an error. Rejects with the first error after closing everything. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= withOurErrors(`closing ${this.path}`, () => this.#close())
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #openAll(): Promise<void> {
    const isClean = await removeCleanShutdown(this.#fs, this.path)
    // Names that a killed process made or removed become durable before anything is built on them.
    if (!isClean) await this.#fs.syncDirectory(this.path)
    // What their topics' settings were is not known any more.
    const leftOverDelayMs = resolveLogOptions(this.#options.log).fileDeleteDelayMs
    const names: Array<{ name: string; parsed: PartitionDirectoryName }> = []
    for (const name of this.#fs.list(this.path)) {
      const parsed = parsePartitionDirectoryName(name)
      if (parsed === null || this.#fs.stat(`${this.path}/${name}`)?.isDirectory !== true) continue
      if (parsed.state === 'delete')
        this.#removals.schedule(`${this.path}/${name}`, leftOverDelayMs)
      if (parsed.state === 'live') names.push({ name, parsed })
    }
    const waiting = names.toReversed()
    let polledMs = this.#clock.monotonic()
    const openSome = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { name, parsed } = next
        try {
          await this.#openLog(name, parsed.topic, parsed.partition, isClean)
        } catch (error) {
          this.#failures.set(name, openingError(name, error))
        }
        if (this.#clock.monotonic() - polledMs < pollIntervalMs) continue
        await pollTurn()
        polledMs = this.#clock.monotonic()
      }
    }
    await Promise.all(Array.from({ length: openingConcurrency }, openSome))
    this.#startTimer()
  }

  async #openLog(name: string, topic: string, partition: number, isClean: boolean): Promise<Log> {
    const directory = `${this.path}/${name}`
    const { random = randomFraction } = this.#options
    const adoption = await LogAdoption.begin(this.#fs, directory)
    const checkpoints = this.#checkpoints.of(name)
    const context: LogContext = {
      name,
      directory,
      fs: this.#fs,
      files: this.#files,
      clock: this.#clock,
      random,
      options: this.#logOptions(topic, partition),
      checkpoints: adoption?.over(checkpoints) ?? checkpoints,
    }
    const { loaded, report } = await this.#load(context, adoption, isClean)
    const opened: Log = new Log(loaded, report, async () => {
      if (opened.isFailed) this.#crashed.add(name)
      this.#logs.delete(name)
    })
    this.#logs.set(name, opened)
    this.#failures.delete(name)
    this.#crashed.delete(name)
    // A crash may have come between raising the log start offset and deleting what lies before it.
    const { logStartOffset } = opened
    const isLeftOver = (segment: { readonly nextOffset: number }): boolean =>
      segment.nextOffset <= logStartOffset
    if (loaded.segments.sealed.some(isLeftOver)) {
      await opened.deleteSegmentsBefore(logStartOffset, 'logStartOffset')
    }
    return opened
  }

  #logOptions(topic: string, partition: number): ResolvedLogOptions {
    const { log = {}, logOptions } = this.#options
    return this.#sharedOptions.resolve({ ...log, ...logOptions?.(topic, partition) })
  }

  async #load(
    context: LogContext,
    adoption: LogAdoption | null,
    isClean: boolean,
  ): ReturnType<typeof loadLog> {
    if (adoption === null) return loadLog(context, isClean)
    try {
      const result = await loadLog(context, adoption.isClean)
      const { recoveryPoint, logStartOffset: claimed } = context.checkpoints
      // Opening may not have believed it.
      const logStartOffset = claimed === null ? null : result.report.logStartOffset
      await this.#checkpoints.adopt(context.name, { recoveryPoint, logStartOffset })
      await adoption.finish()
      return result
    } finally {
      adoption.giveUp()
    }
  }

  #startTimer(): void {
    // Closed while checkpoints were written: the directory is no longer ours.
    if (this.#closing !== null) return
    const intervalMs = this.#options.checkpointIntervalMs ?? 60_000
    this.#timer = this.#clock.setTimer(intervalMs, () => {
      // A failure shows when the directory is closed; the checkpoints only shorten recovery.
      void this.checkpoint().then(
        () => this.#startTimer(),
        () => this.#startTimer(),
      )
    })
  }

  async #close(): Promise<void> {
    this.#timer?.cancel()
    // What was begun before is finished: a log that is open after this would have no lock.
    await this.#turns.settled()
    await this.#removals.finish()
    const logs = [...this.#logs.values()]
    const results = await Promise.allSettled(logs.map((log) => log.close()))
    try {
      await this.#checkpoints.save(logs)
      const failed = results.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      const isClean = this.#failures.size === 0 && this.#crashed.size === 0
      if (isClean) await writeCleanShutdown(this.#fs, this.path)
    } finally {
      this.#files.close()
      this.#lock.release()
    }
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new LogClosedError(this.path)
  }
}

function checkOptions({
  log,
  openFilesMax = 1,
  readCacheBytes = 0,
  checkpointIntervalMs = 1,
}: LogDirectoryOptions): void {
  resolveLogOptions(log)
  for (const [name, value] of Object.entries({ openFilesMax, checkpointIntervalMs })) {
    if (Number.isSafeInteger(value) && value >= 1) continue
    throw new InvalidArgumentError(name, value, 'must be a positive integer')
  }
  checkReadCacheBytes(readCacheBytes)
}
