import { basename } from 'node:path'
import type { LogRecord, Offset, Timestamp } from '@varve/record'
import { LogNotFoundError } from '../base/log-errors.ts'
import type { SegmentInfo, SegmentPlace } from '../base/segment-info.ts'
import type { Isolation } from '../segments/read-source.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { nodeFileSystem } from '../storage/node-file-system.ts'
import { withOurErrors } from '../storage/storage-error.ts'
import { FollowedSource, type ReadOnlyLogOptions } from './followed-source.ts'
import {
  LogReader,
  type ReaderOptions,
  type ReadOptions,
  type ReadResult,
  readNow,
  readOnce,
} from './log-reader.ts'
import { PointReader } from './point-reader.ts'
import { findRecord, findRecordNow, type ReadRecordOptions } from './record-lookup.ts'
import { type FoundOffset, findOffsetByTimestamp } from './timestamp-search.ts'

/**
 * Opens a log for reading only, without a lock, beside the process that writes it or when none
 * does; of a Kafka broker's directories too. It never changes anything.
 *
 * @param directory the log's own, `<data directory>/<topic>-<partition>`
 * @throws {LogNotFoundError} when there is no such log.
 */
export async function openLogReadOnly(
  directory: string,
  options: ReadOnlyLogOptions = {},
): Promise<ReadOnlyLog> {
  const fs = options.fs ?? nodeFileSystem
  const path = directory.length > 1 ? directory.replace(/\/+$/, '') : directory
  if (fs.stat(path)?.isDirectory !== true) {
    throw new LogNotFoundError(`there is no log directory ${path}`)
  }
  const log = new ReadOnlyLog(path, fs, options)
  await log.refresh()
  return log
}

/**
 * Somebody else's log, as far as it is visible: up to the high watermark that its writer notes in
 * the directory after every group, or, when there is no note, up to its last whole batch. It sees
 * more only when it looks: every read does, and a follower does by itself.
 */
export class ReadOnlyLog implements AsyncDisposable {
  readonly directory: string
  readonly name: string
  readonly #source: FollowedSource
  readonly #points: PointReader

  /** @internal Opened by `openLogReadOnly`. */
  constructor(directory: string, fs: FileSystem, options: ReadOnlyLogOptions) {
    this.directory = directory
    this.name = basename(directory)
    this.#source = new FollowedSource(directory, fs, options)
    this.#points = new PointReader(this.#source, false)
  }

  get logStartOffset(): Offset {
    return this.#source.logStartOffset
  }

  /** The offset after the last visible record, when it was last looked. */
  get highWatermark(): Offset {
    return this.#source.highWatermark
  }

  /** The same as the high watermark: what lies beyond it is the writer's affair. */
  get logEndOffset(): Offset {
    return this.#source.logEndOffset
  }

  /**
   * Below it every transaction was decided, when it was last looked for by somebody who reads
   * committed records; the log start offset before that.
   */
  get lastStableOffset(): Offset {
    return this.#source.lastStableOffset
  }

  /**
   * Looks for what has been written, deleted or replaced since; with `committed` for the last
   * stable offset too, which takes reading what has come since.
   *
   * @param isolation @defaultValue 'uncommitted'
   */
  async refresh(isolation: Isolation = 'uncommitted'): Promise<void> {
    await withOurErrors(`looking at log ${this.name}`, async () => {
      await this.#source.refresh()
      await this.#source.prepare(isolation)
    })
  }

  /**
   * As `Log.read`; `lastStableOffset` is looked for with `isolation: 'committed'` only, and is the
   * log start offset before that.
   */
  async read(options: ReadOptions): Promise<ReadResult> {
    await this.refresh()
    const source = this.#source
    const read = async (): Promise<ReadResult> =>
      readNow(source, this.#points, options) ?? readOnce(source, options)
    return withOurErrors(`reading log ${this.name}`, read)
  }

  /** As `Log.readRecord`, but no batch is kept in memory: the files are looked at each time. */
  async readRecord(offset: Offset, options: ReadRecordOptions = {}): Promise<LogRecord | null> {
    await this.refresh()
    const source = this.#source
    const find = async (): Promise<LogRecord | null> => {
      const found = findRecordNow(source, this.#points, offset, options)
      return found === undefined ? findRecord(source, offset, options) : found
    }
    return withOurErrors(`reading log ${this.name}`, find)
  }

  /** As `Log.reader`. */
  reader(options: ReaderOptions): LogReader {
    return new LogReader(this.#source, options)
  }

  /** As `Log.offsetForTimestamp`. */
  async offsetForTimestamp(timestamp: Timestamp): Promise<FoundOffset | null> {
    await this.refresh()
    const find = (): Promise<FoundOffset | null> => findOffsetByTimestamp(this.#source, timestamp)
    return withOurErrors(`searching log ${this.name}`, find)
  }

  /**
   * The segments, when it was last looked. The last one may still be growing, and hold later
   * timestamps than is said here.
   */
  segments(): readonly SegmentInfo[] {
    return this.#source.infos()
  }

  /** As {@link segments}, without what it takes a look into each of them to say. */
  segmentPlaces(): readonly SegmentPlace[] {
    return this.#source.places()
  }

  async close(): Promise<void> {
    this.#source.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
