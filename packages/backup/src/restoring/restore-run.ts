import { dirname } from 'node:path'
import {
  type Clock,
  type FileLock,
  type FileSystem,
  IoThrottle,
  LogLockedError,
  nodeFileSystem,
  systemClock,
} from '@varve/log'
import {
  logStartOffsetCheckpointFileName,
  OffsetCheckpointFile,
  partitionDirectoryName,
  recoveryPointCheckpointFileName,
  replaceSmallFile,
  replicationOffsetCheckpointFileName,
} from '@varve/log/files'
import type { Offset } from '@varve/record'
import type { Manifest } from '../format/manifest.ts'
import type { StoredFileContent } from '../format/partition-list.ts'
import { decoderPool } from '../reading/decoder-pool.ts'
import type { ObjectDecoder } from '../reading/object-decoder.ts'
import { ObjectReader } from '../reading/object-reader.ts'
import { BackupCatalogue, type ReadManifest } from '../repository/backup-catalogue.ts'
import type { Repository } from '../repository/repository.ts'
import { directoryFiles } from '../source/source-files.ts'
import { defaultThreads, encoderPool } from '../taking/encoder-pool.ts'
import type { ExtentEncoder } from '../taking/extent-encoder.ts'
import { type BackupProgress, ProgressMeter } from '../taking/progress-meter.ts'
import { LocalCopies } from './local-copy.ts'
import {
  completePartition,
  type PartitionRestoreContext,
  type RestoredPartition,
  restoreSegment,
  segmentJobs,
} from './partition-restore.ts'
import { RestoreRefusedError } from './restore-errors.ts'
import { cutOf, type RestorePoint } from './restore-point.ts'
import {
  finishSwap,
  markKept,
  partitionsIn,
  removeTree,
  replacedOf,
  stagingOf,
  swapIn,
} from './staged-swap.ts'

/** In a restored data directory: retention deletes nothing while it is there. */
export const retentionHoldFileName = 'varve-retention-hold'

/** What is restored, and into what. */
export interface RestoreScene {
  readonly fs: FileSystem
  readonly clock: Clock
  /** Where the new data directory is put together. */
  readonly staging: string
  /** What it replaces; there may be nothing. */
  readonly replaced: string
  readonly partitions: readonly RestoredPartition[]
  /** All that the backup has. */
  readonly stored: Manifest['partitions']
  /** Partitions of what it replaces that are not restored, and move over. */
  readonly kept: readonly string[]
}

/** What only those know who know what is in the topics. */
export interface RestoreHooks {
  /**
   * The files of the data directory, for the partitions that are restored under the names they get.
   * `present` are those of the directory that is restored into. Throws RestoreRefusedError where
   * the two do not go together. @defaultValue as they were stored
   */
  readonly directoryFiles?: (
    stored: readonly StoredFileContent[],
    present: readonly StoredFileContent[],
    scene: RestoreScene,
  ) => readonly StoredFileContent[]
  /**
   * Called when the new data directory is complete and not yet in its place, to bring in line what
   * records say of other records: committed offsets. A partition that it puts there takes the place
   * of one that would be kept. Resolves to what it changed, in words.
   */
  readonly adjust?: (scene: RestoreScene) => Promise<readonly string[]>
}

export interface RestoreOptions {
  /** The data directory that is made. */
  readonly to: string
  /** Whether there may be one already: it is replaced, and kept aside. @defaultValue false */
  readonly isInPlace?: boolean
  /** @defaultValue { kind: 'end' } */
  readonly point?: RestorePoint
  /** Which partitions. @defaultValue all */
  readonly select?: (topic: string, partition: number) => boolean
  /** New names of topics. @defaultValue their own */
  readonly rename?: ReadonlyMap<string, string>
  /** Restores bytes that were damaged in the source as they were found. @defaultValue false */
  readonly allowsDamage?: boolean
  /** Does everything but change anything. @defaultValue false */
  readonly isDryRun?: boolean
  /** Whether retention waits until it is released. @defaultValue true */
  readonly holdsRetention?: boolean
  readonly threads?: number
  /** @defaultValue 0, no limit */
  readonly readBytesPerSecond?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BackupProgress) => void
  readonly hooks?: RestoreHooks
  readonly fs?: FileSystem
  readonly clock?: Clock
  readonly decoder?: ObjectDecoder
  readonly encoder?: ExtentEncoder
}

/** What a restore came to, or would. */
export interface RestoreReport {
  readonly backupId: string
  readonly to: string
  readonly partitions: ReadonlyArray<{
    readonly name: string
    readonly logStartOffset: Offset
    readonly endOffset: Offset
    readonly sizeBytes: number
  }>
  /** Of the segments. */
  readonly totalBytes: number
  /** Not all was in the backup. */
  readonly gaps: Manifest['gaps']
  readonly notes: readonly string[]
  /** Where what was there before is kept; null without. */
  readonly replaced: string | null
  readonly durationMs: number
}

/**
 * Restores a backup: puts a data directory together beside its place, every byte proven, makes its
 * indexes, flushes all of it, and gives it its place in one step. When it rejects nothing has
 * changed, but for files in `<to>.restoring`, which the next run makes use of.
 *
 * Rejects with RestoreRefusedError, LogLockedError, CorruptRepositoryError, MissingObjectError,
 * BackupKeyError, TargetError and the system's errors.
 */
export async function restoreBackup(
  repository: Repository,
  backup: ReadManifest,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const threads = options.threads ?? defaultThreads()
  const decoder = options.decoder ?? decoderPool(threads)
  const encoder = options.encoder ?? encoderPool(threads)
  try {
    return await new RestoreRun(repository, backup, options, decoder, encoder).run()
  } finally {
    if (options.decoder === undefined) await decoder.close()
    if (options.encoder === undefined) await encoder.close()
  }
}

class RestoreRun {
  readonly #repository: Repository
  readonly #manifest: Manifest
  readonly #options: RestoreOptions
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #to: string
  readonly #catalogue: BackupCatalogue
  readonly #reader: ObjectReader
  readonly #encoder: ExtentEncoder

  constructor(
    repository: Repository,
    { manifest }: ReadManifest,
    options: RestoreOptions,
    decoder: ObjectDecoder,
    encoder: ExtentEncoder,
  ) {
    this.#repository = repository
    this.#manifest = manifest
    this.#options = options
    this.#fs = options.fs ?? nodeFileSystem
    this.#clock = options.clock ?? systemClock
    this.#to = options.to.length > 1 ? options.to.replace(/\/+$/, '') : options.to
    this.#catalogue = new BackupCatalogue(repository)
    const { readBytesPerSecond = 0, signal = null } = options
    const throttle = new IoThrottle(readBytesPerSecond, this.#clock, signal)
    this.#reader = new ObjectReader(repository, decoder, throttle)
    this.#encoder = encoder
  }

  async run(): Promise<RestoreReport> {
    const startedMs = this.#clock.monotonic()
    const lock = await this.#lockTarget()
    try {
      const partitions = await this.#plan()
      const totalBytes = sizeOf(partitions)
      await this.#checkSpace(totalBytes)
      let notes: readonly string[] = []
      if (this.#options.isDryRun !== true) {
        await this.#stage(partitions, totalBytes)
        notes = (await this.#options.hooks?.adjust?.(this.#scene(partitions))) ?? []
        await this.#swap(partitions)
      }
      return this.#report(partitions, totalBytes, notes, this.#clock.monotonic() - startedMs)
    } finally {
      lock?.release()
    }
  }

  /** The directory must be free, or given to be replaced and closed. */
  async #lockTarget(): Promise<FileLock | null> {
    const { isInPlace = false, isDryRun = false } = this.#options
    if (!isDryRun) await finishSwap(this.#fs, this.#to)
    const stat = this.#fs.stat(this.#to)
    if (stat === null) return null
    if (!stat.isDirectory) throw new RestoreRefusedError(`${this.#to} is a file`)
    if (this.#fs.list(this.#to).length === 0) return null
    if (!isInPlace) {
      throw new RestoreRefusedError(
        `${this.#to} is not empty`,
        'restore into a new directory, or in place (--in-place): what is there is kept aside',
      )
    }
    const replaced = replacedOf(this.#to)
    if (this.#fs.stat(replaced) !== null) {
      throw new RestoreRefusedError(
        `${replaced} is there, from a restore before`,
        'undo that restore, or remove the directory when it is not needed any more',
      )
    }
    const lock = await this.#fs.lock(`${this.#to}/.lock`)
    if (lock === null) throw new LogLockedError(this.#to)
    return lock
  }

  async #plan(): Promise<readonly RestoredPartition[]> {
    const { select = () => true, rename, point = { kind: 'end' } } = this.#options
    const partitions: RestoredPartition[] = []
    for (const stored of this.#manifest.partitions) {
      if (!select(stored.topic, stored.partition)) continue
      const list = await this.#catalogue.partitionList(this.#manifest, stored)
      const cut = await cutOf(this.#reader, { sets: this.#manifest.sets, list }, point)
      const end = Math.max(
        Math.min(cut ?? stored.endOffset, stored.endOffset),
        stored.logStartOffset,
      )
      const topic = rename?.get(stored.topic) ?? stored.topic
      const name = partitionDirectoryName(topic, stored.partition)
      if (partitions.some((other) => other.name === name)) {
        throw new RestoreRefusedError(`two partitions would be called ${name}`)
      }
      partitions.push({ stored, list, name, end })
    }
    if (partitions.length === 0 && this.#manifest.partitions.length > 0) {
      throw new RestoreRefusedError(
        `backup ${this.#manifest.backupId} has none of what is asked for`,
      )
    }
    return partitions
  }

  async #checkSpace(bytes: number): Promise<void> {
    let path = dirname(this.#to)
    while (this.#fs.stat(path) === null && path !== dirname(path)) path = dirname(path)
    const free = await this.#fs.freeBytes(path)
    if (free >= bytes * 1.01) return
    throw new RestoreRefusedError(`restoring takes ${bytes} bytes, and ${path} has ${free} free`)
  }

  async #stage(partitions: readonly RestoredPartition[], totalBytes: number): Promise<void> {
    const staging = stagingOf(this.#to)
    const earlier = `${staging}.earlier`
    // What an interrupted run has brought need not be brought again.
    if (this.#fs.stat(staging) !== null) {
      await removeTree(this.#fs, earlier)
      this.#fs.rename(staging, earlier)
    }
    this.#makeDirectories(staging)
    const meter = new ProgressMeter(totalBytes, this.#clock, this.#options.onProgress)
    const context: PartitionRestoreContext = {
      fs: this.#fs,
      reader: this.#reader,
      sets: this.#manifest.sets,
      allowsDamage: this.#options.allowsDamage ?? false,
      signal: this.#options.signal ?? null,
      advanced: (bytes) => meter.advance(bytes),
      staging,
      local: new LocalCopies(this.#fs, this.#repository, this.#encoder, [this.#to, earlier]),
    }
    const ends = await this.#writeSegments(context, partitions)
    for (const partition of partitions) {
      await completePartition(context, partition, ends.get(partition) ?? null)
    }
    await this.#writeDirectoryFiles(staging, partitions)
    await removeTree(this.#fs, earlier)
    meter.finish()
  }

  async #writeSegments(
    context: PartitionRestoreContext,
    partitions: readonly RestoredPartition[],
  ): Promise<ReadonlyMap<RestoredPartition, Offset>> {
    const ends = new Map<RestoredPartition, Offset>()
    for (const { name } of partitions) this.#fs.makeDirectory(`${context.staging}/${name}`)
    const waiting = partitions.flatMap(segmentJobs).toReversed()
    const lane = async (): Promise<void> => {
      for (let job = waiting.pop(); job !== undefined; job = waiting.pop()) {
        const next = await restoreSegment(context, job)
        if (job.isLast && next !== null) ends.set(job.partition, next)
      }
    }
    const lanes = (this.#options.threads ?? defaultThreads()) + 1
    const results = await Promise.allSettled(Array.from({ length: lanes }, lane))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return ends
  }

  async #writeDirectoryFiles(
    staging: string,
    partitions: readonly RestoredPartition[],
  ): Promise<void> {
    const { hooks, holdsRetention = true } = this.#options
    const present = directoryFiles(this.#fs, this.#to)
    const stored = this.#manifest.files
    const files = hooks?.directoryFiles?.(stored, present, this.#scene(partitions)) ?? stored
    for (const { name, bytes } of files)
      await replaceSmallFile(this.#fs, `${staging}/${name}`, bytes)
    if (holdsRetention) {
      const text = JSON.stringify({
        backupId: this.#manifest.backupId,
        restoredMs: this.#clock.now(),
      })
      await replaceSmallFile(
        this.#fs,
        `${staging}/${retentionHoldFileName}`,
        Buffer.from(`${text}\n`),
      )
    }
    const kept = this.#keptPartitions(partitions)
    const write = async (
      name: string,
      offsetOf: (partition: RestoredPartition) => Offset,
    ): Promise<void> => {
      const before = new OffsetCheckpointFile(this.#fs, `${this.#to}/${name}`).readOrEmpty()
      const offsets = new Map([...before].filter(([log]) => kept.includes(log)))
      for (const partition of partitions) offsets.set(partition.name, offsetOf(partition))
      await new OffsetCheckpointFile(this.#fs, `${staging}/${name}`).write(offsets)
    }
    // All of it was flushed, and was visible when it was backed up.
    await write(recoveryPointCheckpointFileName, ({ end }) => end)
    await write(replicationOffsetCheckpointFileName, ({ end }) => end)
    await write(
      logStartOffsetCheckpointFileName,
      ({ stored: { logStartOffset } }) => logStartOffset,
    )
    await this.#fs.syncDirectory(staging)
  }

  #scene(partitions: readonly RestoredPartition[]): RestoreScene {
    return {
      fs: this.#fs,
      clock: this.#clock,
      staging: stagingOf(this.#to),
      replaced: this.#to,
      partitions,
      stored: this.#manifest.partitions,
      kept: this.#keptPartitions(partitions),
    }
  }

  /** Partitions that are there and not restored: only when not all of the backup is. */
  #keptPartitions(partitions: readonly RestoredPartition[]): readonly string[] {
    const isPartial = partitions.length < this.#manifest.partitions.length
    const isRenamed = (this.#options.rename?.size ?? 0) > 0
    if (!isPartial && !isRenamed) return []
    const restored = new Set(partitions.map(({ name }) => name))
    return partitionsIn(this.#fs, this.#to).filter((name) => !restored.has(name))
  }

  async #swap(partitions: readonly RestoredPartition[]): Promise<void> {
    const staged = new Set(partitionsIn(this.#fs, stagingOf(this.#to)))
    const kept = this.#keptPartitions(partitions).filter((name) => !staged.has(name))
    await markKept(this.#fs, this.#to, kept)
    await swapIn(this.#fs, this.#to, kept)
  }

  #makeDirectories(path: string): void {
    if (this.#fs.stat(path)?.isDirectory === true) return
    const parent = dirname(path)
    if (parent !== path) this.#makeDirectories(parent)
    this.#fs.makeDirectory(path)
  }

  #report(
    partitions: readonly RestoredPartition[],
    totalBytes: number,
    notes: readonly string[],
    durationMs: number,
  ): RestoreReport {
    const isReplaced = this.#fs.stat(replacedOf(this.#to)) !== null
    return {
      backupId: this.#manifest.backupId,
      to: this.#to,
      partitions: partitions.map(({ name, stored, end }) => ({
        name,
        logStartOffset: stored.logStartOffset,
        endOffset: end,
        sizeBytes: stored.sizeBytes,
      })),
      totalBytes,
      gaps: this.#manifest.gaps,
      notes,
      replaced: isReplaced ? replacedOf(this.#to) : null,
      durationMs,
    }
  }
}

function sizeOf(partitions: readonly RestoredPartition[]): number {
  return partitions.flatMap(segmentJobs).reduce((sum, { segment }) => sum + segment.sizeBytes, 0)
}
