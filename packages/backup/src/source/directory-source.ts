import { basename, dirname } from 'node:path'
import {
  type FileLock,
  type FileStat,
  type FileSystem,
  nodeFileSystem,
  OffsetOutOfRangeError,
  openLogReadOnly,
  type ReadOnlyLog,
  type SegmentPlace,
} from '@varve/log'
import {
  cleanShutdownFileName,
  isSystemError,
  listSegments,
  OffsetCheckpointFile,
  ProgressFile,
  parsePartitionDirectoryName,
  progressFileName,
  readSmallFile,
  recoveryPointCheckpointFileName,
  refuseUnfinishedRestore,
} from '@varve/log/files'
import { InvalidArgumentError, type Offset, VarveError } from '@varve/record'
import { SnapshotUnstableError } from '../base/backup-errors.ts'
import { HeldFiles, workDirectoryOf } from './held-files.ts'
import {
  directoryFiles,
  filesPrint,
  isFileProblem,
  partitionFiles,
  topicIdOf,
  withOurErrors,
} from './source-files.ts'
import type {
  BackupSource,
  MissingPartition,
  PartitionSnapshot,
  SegmentSnapshot,
  SnapshotOptions,
  SourceSnapshot,
} from './source-snapshot.ts'
import { cutSnapshot, decidedEnd, stableEnd, TransactionTimes } from './transaction-cut.ts'

export interface DirectorySourceOptions {
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** Where links to its files are held. @defaultValue beside the data directory */
  readonly workDirectory?: string
  /** @defaultValue the system's */
  readonly now?: () => number
  /** How often a partition is looked at whose segments are being replaced. @defaultValue 50 */
  readonly attempts?: number
}

const lockFileName = '.lock'
/** Of the progress file; it has less than one. */
const smallFileBytesMax = 64 * 1024
const offsetsTopic = '__consumer_offsets'
const transactionsTopic = '__transaction_state'
const queueStateTopic = '__varve_queue_state'

interface Place {
  readonly name: string
  readonly topic: string
  readonly partition: number
}

/** Where a partition is to end that ends at `end` now. */
type Ending = (place: Place, log: ReadOnlyLog, end: Offset) => Promise<Offset>

interface Looking {
  readonly held: HeldFiles
  readonly missing: MissingPartition[]
  readonly ending: Ending
  readonly options: SnapshotOptions
}

/** What was there, and is not whole now. */
function shortfall(found: PartitionSnapshot, to: Offset): readonly MissingPartition[] {
  const { topic, partition, endOffset: from } = found
  if (to <= from) return []
  const reason = `the log went to offset ${to}, and is whole to ${from} only`
  return [{ topic, partition, offsets: { from, to }, reason }]
}

const whole: Ending = async (_place, _log, end) => end

function endingAfter(before: ReadonlyMap<string, Offset>, times: TransactionTimes): Ending {
  return ({ name, topic }, log, end) => {
    // It was made after the look that decides.
    if (topic === transactionsTopic) return Promise.resolve(0)
    const from = before.get(name) ?? 0
    const find = topic === offsetsTopic ? decidedEnd : stableEnd
    return find({ log, from, end, times })
  }
}

function of(places: readonly Place[], wanted: string): readonly Place[] {
  return places.filter(({ topic }) => topic === wanted)
}

/**
 * A data directory by its path: Varve's, open in another process or closed, or one of a Kafka
 * broker that is stopped. Nothing in it is changed.
 *
 * While another process writes, partitions can be looked at only one after the other. What the
 * transaction log says at one moment decides: every partition is looked at after it, and ends
 * before the first marker of a later decision; what groups have committed ends where it was then.
 * However fast transactions come, one look is enough.
 */
export class DirectorySource implements BackupSource {
  readonly name: string
  readonly #fs: FileSystem
  readonly #workDirectory: string
  readonly #now: () => number
  readonly #attempts: number

  constructor(path: string, options: DirectorySourceOptions = {}) {
    this.name = path.length > 1 ? path.replace(/\/+$/, '') : path
    this.#fs = options.fs ?? nodeFileSystem
    this.#workDirectory = options.workDirectory ?? workDirectoryOf(this.name)
    this.#now = options.now ?? Date.now
    this.#attempts = options.attempts ?? 50
  }

  snapshot(options: SnapshotOptions = {}): Promise<SourceSnapshot> {
    return withOurErrors(`looking at ${this.name}`, () => this.#snapshot(options))
  }

  async #snapshot(options: SnapshotOptions): Promise<SourceSnapshot> {
    if (this.#fs.stat(this.name)?.isDirectory !== true) {
      refuseUnfinishedRestore(this.#fs, this.name)
      throw new InvalidArgumentError('source', this.name, 'is not a directory')
    }
    refuseUnfinishedRestore(this.#fs, this.name)
    const lock = await this.#tryLock()
    try {
      return await this.#look(options, lock === null)
    } finally {
      lock?.release()
    }
  }

  fingerprint(): string {
    const prints: string[] = [...filesPrint(directoryFiles(this.#fs, this.name))]
    for (const { name } of this.#places()) {
      const directory = `${this.name}/${name}`
      const segments = listSegments(this.#fs, directory)
      const last = segments.at(-1)
      const progress = this.#fs.stat(`${directory}/${progressFileName}`)
      prints.push(
        [
          name,
          segments.length,
          segments[0]?.fileId,
          last?.fileId,
          last?.sizeBytes,
          progress?.modifiedMs,
        ].join(' '),
      )
    }
    return prints.join('\n')
  }

  /** With it nothing changes; without it somebody has the directory open, or it is read-only. */
  async #tryLock(): Promise<FileLock | null> {
    const path = `${this.name}/${lockFileName}`
    // Nothing is made in a directory that is only read.
    if (this.#fs.stat(path) === null) return null
    try {
      return await this.#fs.lock(path)
    } catch (error) {
      // Nor where there is no native module for locks: what changes is noticed all the same.
      const isWithoutLocks = error instanceof VarveError
      if (isWithoutLocks || isSystemError(error, 'EACCES', 'EROFS', 'EPERM')) return null
      throw error
    }
  }

  /** @param isInUse whether somebody may write to it meanwhile */
  async #look(options: SnapshotOptions, isInUse: boolean): Promise<SourceSnapshot> {
    const held = new HeldFiles(this.#fs, this.#workDirectory)
    await held.releaseAbandoned()
    const release = (): Promise<void> => held.release()
    try {
      const takenMs = this.#now()
      const missing: MissingPartition[] = []
      const look = (places: readonly Place[], ending: Ending): Promise<PartitionSnapshot[]> =>
        this.#lookAt(places, { held, missing, ending, options })
      const first = this.#places()
      // What queues know of records is no later than the records.
      const queues = await look(of(first, queueStateTopic), whole)
      const before = isInUse ? await this.#ends(first) : new Map<string, Offset>()
      const times = new TransactionTimes()
      const transactions = await look(of(first, transactionsTopic), async (_, log, end) => {
        await times.read(log, end)
        return end
      })
      const known = [queueStateTopic, transactionsTopic].flatMap((topic) => of(first, topic))
      // What was made meanwhile may belong to what is decided.
      const rest = this.#places().filter((place) => !known.some(({ name }) => name === place.name))
      const files = directoryFiles(this.#fs, this.name)
      const ending = isInUse ? endingAfter(before, times) : whole
      const partitions = [...queues, ...transactions, ...(await look(rest, ending))]
      return { takenMs, partitions, missing, files, release, [Symbol.asyncDispose]: release }
    } catch (error) {
      await release()
      throw error
    }
  }

  async #lookAt(places: readonly Place[], looking: Looking): Promise<PartitionSnapshot[]> {
    const partitions: PartitionSnapshot[] = []
    for (const place of places) {
      const found = await this.#partition(place, looking)
      if (found !== null) partitions.push(found)
    }
    return partitions
  }

  #places(): readonly Place[] {
    const places = this.#fs.list(this.name).flatMap((name) => {
      const parsed = parsePartitionDirectoryName(name)
      const isLive = parsed?.state === 'live'
      if (!isLive || this.#fs.stat(`${this.name}/${name}`)?.isDirectory !== true) return []
      return [{ name, topic: parsed.topic, partition: parsed.partition }]
    })
    return places.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Where the partitions end now, or a little before that. */
  async #ends(places: readonly Place[]): Promise<ReadonlyMap<string, Offset>> {
    const ends = new Map<string, Offset>()
    for (const { name } of places) {
      try {
        const noted = this.#notedEnd(name)
        await using log = noted === null ? await this.#open(name) : null
        ends.set(name, noted ?? log?.highWatermark ?? 0)
      } catch (error) {
        // It is looked at again, and told of then.
        if (!isFileProblem(error)) throw error
      }
    }
    return ends
  }

  /** What the log's writer has noted; null where none has. */
  #notedEnd(name: string): Offset | null {
    const path = `${this.name}/${name}/${progressFileName}`
    const bytes = readSmallFile(this.#fs, path, smallFileBytesMax)
    return (bytes && ProgressFile.read(bytes)?.highWatermark) ?? null
  }

  #open(name: string): Promise<ReadOnlyLog> {
    return openLogReadOnly(`${this.name}/${name}`, { fs: this.#fs })
  }

  /** Null for one that is gone, or cannot be read and stands in `missing` then. */
  async #partition(place: Place, looking: Looking): Promise<PartitionSnapshot | null> {
    const { name, topic, partition } = place
    const { missing } = looking
    const directory = `${this.name}/${name}`
    for (let attempt = 1; attempt <= this.#attempts; attempt++) {
      try {
        // Before the look: what is appended meanwhile is not missing.
        const known = this.#knownEnd(name)
        const found = await this.#partitionOnce(place, directory, looking)
        if (found !== null) {
          missing.push(...shortfall(found.whole, known))
          return found.cut
        }
      } catch (error) {
        if (this.#fs.stat(directory) === null) return null
        // Replaced, or deleted by retention, while it was looked at.
        if (isSystemError(error, 'ENOENT') || error instanceof OffsetOutOfRangeError) continue
        if (!isFileProblem(error)) throw error
        missing.push({ topic, partition, reason: error.message })
        return null
      }
    }
    throw new SnapshotUnstableError(directory, 'its segments are replaced all the time')
  }

  /** Null when segments were replaced meanwhile: some would be of before, some of after. */
  async #partitionOnce(
    place: Place,
    directory: string,
    { held, ending, options: { isStored = () => false } }: Looking,
  ): Promise<{ readonly whole: PartitionSnapshot; readonly cut: PartitionSnapshot } | null> {
    const { name, topic, partition } = place
    await using log = await this.#open(name)
    const { logStartOffset } = log
    const endOffset = Math.min(log.highWatermark, this.#closedEnd(name))
    const all = log.segmentPlaces()
    const infos = all.filter(({ baseOffset }) => baseOffset < endOffset)
    const found = infos.map((info, index) => {
      // Also the last one, where the active segment has nothing yet.
      const isSealed = index < all.length - 1 && info.nextOffset <= endOffset
      const segment = this.#segment(info, isSealed, endOffset)
      return isStored(segment) ? segment : this.#held(segment, held)
    })
    const end = await ending(place, log, endOffset)
    // Stored as a whole is not stored as a part: that has to be read.
    const segments = found.map((segment) => {
      const isCut = segment.baseOffset < end && end < segment.nextOffset
      return isCut && isStored(segment) ? this.#held(segment, held) : segment
    })
    if (!this.#isStillSo(infos, segments)) return null
    const files = partitionFiles(this.#fs, directory, end)
    const topicId = topicIdOf(files, directory)
    const whole = { topic, partition, topicId, logStartOffset, endOffset, segments, files }
    return { whole, cut: cutSnapshot(whole, end) }
  }

  /** What the log's writer has shown to readers, or knows to be flushed. */
  #knownEnd(name: string): Offset {
    return Math.max(this.#notedEnd(name) ?? 0, this.#recoveryPoint(name) ?? 0)
  }

  #recoveryPoint(name: string): Offset | undefined {
    const checkpoint = `${this.name}/${recoveryPointCheckpointFileName}`
    return new OffsetCheckpointFile(this.#fs, checkpoint).readOrEmpty().get(name)
  }

  /**
   * Where the log ended when everything was closed cleanly. A batch that claims to lie beyond it is
   * damaged: no checksum covers where it belongs. Whoever opens it removes the marker first.
   */
  #closedEnd(name: string): Offset {
    const isClosed = this.#fs.stat(`${this.name}/${cleanShutdownFileName}`) !== null
    return (isClosed ? this.#recoveryPoint(name) : undefined) ?? Number.MAX_SAFE_INTEGER
  }

  #segment(info: SegmentPlace, isSealed: boolean, endOffset: number): SegmentSnapshot {
    const stat = this.#mustStat(info.path)
    return {
      baseOffset: info.baseOffset,
      nextOffset: isSealed ? info.nextOffset : endOffset,
      // Of the last one it is an upper bound: it is read to the end offset.
      sizeBytes: isSealed ? info.sizeBytes : stat.sizeBytes,
      path: info.path,
      sourcePath: info.path,
      isSealed,
      fileId: stat.fileId,
      modifiedMs: stat.modifiedMs,
    }
  }

  /** What was held may be another file than the one that was looked at. */
  #held(segment: SegmentSnapshot, held: HeldFiles): SegmentSnapshot {
    const path = held.hold(segment.sourcePath, basename(dirname(segment.sourcePath)))
    const { fileId, modifiedMs } = this.#mustStat(path)
    return { ...segment, path, fileId, modifiedMs }
  }

  #mustStat(path: string): FileStat {
    const stat = this.#fs.stat(path)
    if (stat !== null) return stat
    throw Object.assign(new Error(`${path} is gone`), { code: 'ENOENT' })
  }

  /** Retention may have taken the first ones: they are held. Nothing else may be another file. */
  #isStillSo(infos: readonly SegmentPlace[], segments: readonly SegmentSnapshot[]): boolean {
    const ids = infos.map(({ path }) => this.#fs.stat(path)?.fileId ?? null)
    const firstThere = ids.findIndex((id) => id !== null)
    const there = firstThere < 0 ? [] : ids.slice(firstThere)
    return there.every((id, index) => id === segments[firstThere + index]?.fileId)
  }
}
