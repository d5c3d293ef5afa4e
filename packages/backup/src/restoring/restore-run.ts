import { dirname } from 'node:path'
import {
  type Clock,
  type FileSystem,
  type LogOptions,
  nodeFileSystem,
  systemClock,
} from '@varve/log'
import { IoThrottle } from '@varve/log/pacing'
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
  type PartitionRestoreContext,
  type RestoredPartition,
  segmentJobs,
} from './partition-restore.ts'
import { restorePartitions } from './partitions-restore.ts'
import { RestoreRefusedError } from './restore-errors.ts'
import { type DecidedProducers, planRestore } from './restore-plan.ts'
import type { RestorePoint } from './restore-point.ts'
import { RestoreTarget, refuseRepository } from './restore-target.ts'
import { partitionsIn, replacedOf, swapIn } from './staged-swap.ts'
import { prepareStaging, writeCheckpoints, writeStagingFiles } from './staging-files.ts'

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
   * Settings of logs, from the files that the data directory gets: their indexes are made by them.
   * @defaultValue the defaults of a log
   */
  readonly logOptions?: (
    files: readonly StoredFileContent[],
  ) => (topic: string, partition: number) => LogOptions
  /**
   * Called when the new data directory is complete and not yet in its place, to bring in line what
   * records say of other records: committed offsets. A partition that it puts there takes the place
   * of one that would be kept. Resolves to what it changed, in words.
   */
  readonly adjust?: (scene: RestoreScene) => Promise<readonly string[]>
  /**
   * Called to restore to the `stable` point. Without it a transaction that was just being ended
   * counts as not decided in the partitions that did not know yet. @defaultValue none are
   */
  readonly decidedProducers?: DecidedProducers
}

export interface RestoreOptions {
  /** The data directory that is made. */
  readonly to: string
  /** Whether there may be one already: it is replaced, and kept aside. @defaultValue false */
  readonly isInPlace?: boolean
  /** @defaultValue { kind: 'end' } */
  readonly point?: RestorePoint
  /**
   * Which partitions; in place, all others of the data directory stay. @defaultValue all of the
   * backup, and nothing that is there stays
   */
  readonly select?: (topic: string, partition: number) => boolean
  /**
   * New names of topics; in place, all others of the data directory stay. @defaultValue their own
   */
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
 * changed, but for files in `<to>.restoring`, which the next run makes use of; or, where renaming
 * failed half-way, `finishSwap` completes it.
 *
 * Rejects with RestoreRefusedError, InvalidArgumentError, LogLockedError, CorruptRepositoryError,
 * MissingObjectError, BackupKeyError, TargetError and the system's errors.
 */
export async function restoreBackup(
  repository: Repository,
  backup: ReadManifest,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { threads = defaultThreads(), fs = nodeFileSystem, clock = systemClock } = options
  const decoder = options.decoder ?? decoderPool(threads)
  const encoder = options.encoder ?? encoderPool(threads)
  const resolved = { ...options, threads, fs, clock }
  try {
    return await new RestoreRun(repository, backup, resolved, { decoder, encoder }).run()
  } finally {
    if (options.decoder === undefined) await decoder.close()
    if (options.encoder === undefined) await encoder.close()
  }
}

type RunOptions = RestoreOptions & Required<Pick<RestoreOptions, 'threads' | 'fs' | 'clock'>>

class RestoreRun {
  readonly #repository: Repository
  readonly #manifest: Manifest
  readonly #options: RunOptions
  readonly #fs: FileSystem
  readonly #reader: ObjectReader
  readonly #local: LocalCopies

  constructor(
    repository: Repository,
    { manifest }: ReadManifest,
    options: RunOptions,
    workers: { readonly decoder: ObjectDecoder; readonly encoder: ExtentEncoder },
  ) {
    this.#repository = repository
    this.#manifest = manifest
    this.#options = options
    this.#fs = options.fs
    const { readBytesPerSecond = 0, signal = null, clock } = options
    const throttle = new IoThrottle(readBytesPerSecond, clock, signal)
    this.#reader = new ObjectReader(repository, workers.decoder, throttle)
    this.#local = new LocalCopies(this.#fs, repository, workers.encoder)
  }

  async run(): Promise<RestoreReport> {
    const { clock, to, isInPlace = false, isDryRun = false } = this.#options
    const startedMs = clock.monotonic()
    refuseRepository(this.#fs, this.#repository.target, to)
    const target = await RestoreTarget.claim(this.#fs, to, { isInPlace, isDryRun })
    try {
      const partitions = await this.#plan()
      const scene = this.#sceneOf(target, partitions)
      await this.#checkSpace(scene)
      const notes = isDryRun ? [] : await this.#restore(target, scene)
      return this.#report(scene, notes, clock.monotonic() - startedMs)
    } finally {
      target.release()
    }
  }

  #plan(): Promise<readonly RestoredPartition[]> {
    const { select = () => true, rename = new Map(), point = { kind: 'end' } } = this.#options
    const catalogue = new BackupCatalogue(this.#repository)
    const { decidedProducers } = this.#options.hooks ?? {}
    const wish = { select, rename, point, decidedProducers }
    return planRestore(this.#manifest, catalogue, this.#reader, wish)
  }

  #sceneOf(target: RestoreTarget, partitions: readonly RestoredPartition[]): RestoreScene {
    const { select, rename, clock } = this.#options
    const isPartial = select !== undefined || (rename?.size ?? 0) > 0
    const restored = new Set(partitions.map(({ name }) => name))
    const kept = isPartial ? partitionsIn(this.#fs, target.path) : []
    return {
      fs: this.#fs,
      clock,
      staging: target.staging,
      replaced: target.path,
      partitions,
      stored: this.#manifest.partitions,
      kept: kept.filter((name) => !restored.has(name)),
    }
  }

  /** Segments that may be here already are counted as if they were. */
  async #checkSpace({ partitions, replaced, staging }: RestoreScene): Promise<void> {
    const jobs = partitions.flatMap(segmentJobs)
    const missing = jobs.filter(({ partition: { stored, name }, segment, isShareable }) => {
      const places = [`${staging}/${name}`, `${replaced}/${stored.topic}-${stored.partition}`]
      return !(isShareable && places.some((place) => this.#local.mayHave(segment, place)))
    })
    const bytes = missing.reduce((sum, { segment }) => sum + segment.sizeBytes, 0)
    let path = dirname(replaced)
    while (this.#fs.stat(path) === null && path !== dirname(path)) path = dirname(path)
    const free = await this.#fs.freeBytes(path)
    if (free >= bytes * 1.01) return
    throw new RestoreRefusedError(`restoring takes ${bytes} bytes, and ${path} has ${free} free`)
  }

  async #restore(target: RestoreTarget, scene: RestoreScene): Promise<readonly string[]> {
    const { fs, staging, partitions, kept } = scene
    const { hooks, holdsRetention = true, clock, onProgress } = this.#options
    // First: what cannot be put together is found out before anything is brought.
    const present = directoryFiles(fs, target.path)
    const stored = this.#manifest.files
    const files = hooks?.directoryFiles?.(stored, present, scene) ?? stored
    await prepareStaging(fs, staging, partitions)
    const meter = new ProgressMeter(sizeOf(partitions), clock, onProgress)
    await this.#writePartitions(scene, meter, hooks?.logOptions?.(files) ?? (() => ({})))
    await writeStagingFiles(fs, staging, files)
    if (holdsRetention) {
      const hold = { backupId: this.#manifest.backupId, restoredMs: clock.now() }
      const bytes = Buffer.from(`${JSON.stringify(hold)}\n`)
      await writeStagingFiles(fs, staging, [{ name: retentionHoldFileName, bytes }])
    }
    await writeCheckpoints(fs, scene, partitions, kept)
    meter.finish()
    const notes = await this.#adjust(target, scene)
    this.#options.signal?.throwIfAborted()
    target.confirm()
    const staged = new Set(partitionsIn(fs, staging))
    await swapIn(
      fs,
      target.path,
      kept.filter((name) => !staged.has(name)),
    )
    return notes
  }

  async #adjust(target: RestoreTarget, scene: RestoreScene): Promise<readonly string[]> {
    const adjust = this.#options.hooks?.adjust
    if (adjust === undefined) return []
    target.unlockStaging()
    const notes = await adjust(scene)
    await target.lockStaging()
    return notes
  }

  async #writePartitions(
    scene: RestoreScene,
    meter: ProgressMeter,
    logOptions: PartitionRestoreContext['logOptions'],
  ): Promise<void> {
    const { allowsDamage = false, signal = null, threads } = this.#options
    const context: Parameters<typeof restorePartitions>[0] = {
      ...{ fs: this.#fs, reader: this.#reader, sets: this.#manifest.sets, allowsDamage, signal },
      advanced: (bytes) => meter.advance(bytes),
      staging: scene.staging,
      replaced: scene.replaced,
      local: this.#local,
      logOptions,
    }
    // One in each thread, one waiting for it, and one that is written.
    const counts = { lanes: threads + 1, slots: 2 * threads + 1 }
    await restorePartitions(context, scene.partitions, counts)
  }

  #report(scene: RestoreScene, notes: readonly string[], durationMs: number): RestoreReport {
    const { partitions, replaced: to } = scene
    const { backupId, gaps } = this.#manifest
    const { select = () => true } = this.#options
    const isReplaced = this.#fs.stat(replacedOf(to)) !== null
    return {
      backupId,
      to,
      partitions: partitions.map(({ name, stored, end }) => ({
        name,
        logStartOffset: stored.logStartOffset,
        endOffset: end,
        sizeBytes: stored.sizeBytes,
      })),
      totalBytes: sizeOf(partitions),
      gaps: gaps.filter(({ topic, partition }) => select(topic, partition)),
      notes,
      replaced: isReplaced ? replacedOf(to) : null,
      durationMs,
    }
  }
}

function sizeOf(partitions: readonly RestoredPartition[]): number {
  return partitions.flatMap(segmentJobs).reduce((sum, { segment }) => sum + segment.sizeBytes, 0)
}
