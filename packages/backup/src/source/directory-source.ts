import {
  type FileLock,
  type FileStat,
  type FileSystem,
  nodeFileSystem,
  openLogReadOnly,
  type SegmentPlace,
} from '@varve/log'
import {
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
import { InvalidArgumentError, VarveError } from '@varve/record'
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

export interface DirectorySourceOptions {
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** Where links to its files are held. @defaultValue beside the data directory */
  readonly workDirectory?: string
  /** @defaultValue the system's */
  readonly now?: () => number
  /** How often a consistent view is looked for. @defaultValue 50 */
  readonly attempts?: number
}

const lockFileName = '.lock'
/** Of the progress file; it has less than one. */
const smallFileBytesMax = 64 * 1024
const offsetsTopic = '__consumer_offsets'
const transactionsTopic = '__transaction_state'

interface Place {
  readonly name: string
  readonly topic: string
  readonly partition: number
}

/**
 * A data directory by its path: Varve's, open in another process or closed, or one of a Kafka
 * broker that is stopped. Nothing in it is changed.
 *
 * While another process writes, partitions can be looked at only one after the other. So group
 * offsets are looked at first, and the view counts only if no transaction began or ended meanwhile.
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
      for (let attempt = 1; attempt <= this.#attempts; attempt++) {
        const snapshot = await this.#look(options)
        if (snapshot !== null) return snapshot
      }
    } finally {
      lock?.release()
    }
    throw new SnapshotUnstableError(this.name, 'transactions begin and end all the time')
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

  /** Null when it changed in ways that do not fit together. */
  async #look(options: SnapshotOptions): Promise<SourceSnapshot | null> {
    const held = new HeldFiles(this.#fs, this.#workDirectory)
    await held.releaseAbandoned()
    const release = (): Promise<void> => held.release()
    try {
      const takenMs = this.#now()
      const places = this.#places()
      const before = await this.#transactionEnds(places)
      const missing: MissingPartition[] = []
      const partitions: PartitionSnapshot[] = []
      const files = directoryFiles(this.#fs, this.name)
      for (const place of places) {
        const found = await this.#partition(place, held, missing, options)
        if (found !== null) partitions.push(found)
      }
      if (before === (await this.#transactionEnds(places))) {
        return { takenMs, partitions, missing, files, release, [Symbol.asyncDispose]: release }
      }
      await release()
      return null
    } catch (error) {
      await release()
      throw error
    }
  }

  /** Group offsets first: what they say of a partition is in it by then. */
  #places(): readonly Place[] {
    const places = this.#fs.list(this.name).flatMap((name) => {
      const parsed = parsePartitionDirectoryName(name)
      const isLive = parsed?.state === 'live'
      if (!isLive || this.#fs.stat(`${this.name}/${name}`)?.isDirectory !== true) return []
      return [{ name, topic: parsed.topic, partition: parsed.partition }]
    })
    const rank = ({ topic }: Place): number => (topic === offsetsTopic ? 0 : 1)
    return places.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
  }

  async #transactionEnds(places: readonly Place[]): Promise<string> {
    const ends: string[] = []
    for (const { name, topic } of places) {
      if (topic !== transactionsTopic) continue
      try {
        await using log = await openLogReadOnly(`${this.name}/${name}`, { fs: this.#fs })
        ends.push(`${name} ${log.highWatermark}`)
      } catch (error) {
        if (!isFileProblem(error)) throw error
        ends.push(`${name} ${error.message}`)
      }
    }
    return ends.join('\n')
  }

  /** Null for one that is gone, or cannot be read and stands in `missing` then. */
  async #partition(
    place: Place,
    held: HeldFiles,
    missing: MissingPartition[],
    options: SnapshotOptions,
  ): Promise<PartitionSnapshot | null> {
    const { name, topic, partition } = place
    const directory = `${this.name}/${name}`
    for (let attempt = 1; attempt <= this.#attempts; attempt++) {
      try {
        const found = await this.#partitionOnce(place, directory, held, options)
        if (found !== null) {
          missing.push(...this.#shortfall(place, found))
          return found
        }
      } catch (error) {
        if (this.#fs.stat(directory) === null) return null
        if (isSystemError(error, 'ENOENT')) continue
        if (!isFileProblem(error)) throw error
        missing.push({ topic, partition, reason: error.message })
        return null
      }
    }
    throw new SnapshotUnstableError(directory, 'its segments are replaced all the time')
  }

  /** Null when segments were replaced meanwhile: some would be of before, some of after. */
  async #partitionOnce(
    { name, topic, partition }: Place,
    directory: string,
    held: HeldFiles,
    { isStored = () => false }: SnapshotOptions,
  ): Promise<PartitionSnapshot | null> {
    await using log = await openLogReadOnly(directory, { fs: this.#fs })
    const { logStartOffset, highWatermark: endOffset } = log
    const all = log.segmentPlaces()
    const infos = all.filter(({ baseOffset }) => baseOffset < endOffset)
    const segments = infos.map((info, index) => {
      // Also the last one, where the active segment has nothing yet.
      const isSealed = index < all.length - 1 && info.nextOffset <= endOffset
      const found = this.#segment(info, isSealed, endOffset)
      return isStored(found) ? found : this.#held(found, held.hold(info.path, name))
    })
    if (!this.#isStillSo(infos, segments)) return null
    const files = partitionFiles(this.#fs, directory, endOffset)
    const topicId = topicIdOf(files, directory)
    return { topic, partition, topicId, logStartOffset, endOffset, segments, files }
  }

  /** What the log's writer had shown to readers or knew to be flushed, and is not whole now. */
  #shortfall(
    { name, topic, partition }: Place,
    { endOffset }: PartitionSnapshot,
  ): readonly MissingPartition[] {
    const path = `${this.name}/${name}/${progressFileName}`
    const bytes = readSmallFile(this.#fs, path, smallFileBytesMax)
    const shown = (bytes && ProgressFile.read(bytes)?.highWatermark) ?? 0
    const checkpoint = `${this.name}/${recoveryPointCheckpointFileName}`
    const flushed = new OffsetCheckpointFile(this.#fs, checkpoint).readOrEmpty().get(name) ?? 0
    const to = Math.max(shown, flushed)
    if (to <= endOffset) return []
    const reason = `the log went to offset ${to}, and is whole to ${endOffset} only`
    return [{ topic, partition, offsets: { from: endOffset, to }, reason }]
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
  #held(segment: SegmentSnapshot, path: string): SegmentSnapshot {
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
