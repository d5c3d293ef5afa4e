import { type Clock, systemClock } from '@varve/log'
import { IoThrottle, randomFraction } from '@varve/log/pacing'
import {
  BackupNotFoundError,
  CorruptRepositoryError,
  MissingObjectError,
} from '../base/backup-errors.ts'
import type { PartitionList } from '../format/partition-list.ts'
import type { ObjectReferences } from '../format/reference-list.ts'
import { decoderPool } from '../reading/decoder-pool.ts'
import { checkPartitionList } from '../reading/list-check.ts'
import type { ObjectDecoder } from '../reading/object-decoder.ts'
import { ObjectReader } from '../reading/object-reader.ts'
import {
  BackupCatalogue,
  type BackupName,
  manifestKey,
  type ReadManifest,
  referencesKey,
} from '../repository/backup-catalogue.ts'
import { objectKey, type Repository } from '../repository/repository.ts'
import { defaultThreads } from '../taking/encoder-pool.ts'
import { type BackupProgress, ProgressMeter } from '../taking/progress-meter.ts'
import { referencesOf } from '../taking/references.ts'
import { findingOf, type RepositoryFinding } from './finding.ts'
import { checkKeys } from './key-check.ts'
import { findMissingBackups } from './missing-backups.ts'
import { type NeededObject, NeededObjects } from './needed-objects.ts'

export type { RepositoryFinding }

export interface VerifyRepositoryOptions {
  /** Which backups. @defaultValue all */
  readonly backups?: readonly BackupName[]
  /**
   * Which part of the objects is read: 1 for all, 0.1 for a tenth, drawn anew each time. Manifests
   * and lists are always read, and every object must at least be there. @defaultValue 1
   */
  readonly fraction?: number
  /** Reads only what no backup before this time has, in ms. @defaultValue all */
  readonly newSinceMs?: number
  readonly threads?: number
  /** @defaultValue 0, no limit */
  readonly readBytesPerSecond?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BackupProgress) => void
  /** @defaultValue the system's */
  readonly clock?: Clock
  /** 0 to 1. @defaultValue numbers of the operating system */
  readonly random?: () => number
  /** @defaultValue worker threads */
  readonly decoder?: ObjectDecoder
}

/** What was looked at, and what was found. */
export interface VerifyRepositoryReport {
  readonly backups: number
  /** Objects that were read, and those that were only looked for. */
  readonly readObjects: number
  readonly seenObjects: number
  /** Of content. */
  readonly readBytes: number
  readonly durationMs: number
  readonly findings: readonly RepositoryFinding[]
  /** Backups without a finding. */
  readonly sound: readonly string[]
}

/**
 * Proves that backups can be restored: reads, decrypts and checks what they need against digests,
 * checksums and manifests. Whatever is wrong is a finding; rejects only when the repository cannot
 * be asked (TargetError, BackupKeyError).
 */
export async function verifyRepository(
  repository: Repository,
  options: VerifyRepositoryOptions = {},
): Promise<VerifyRepositoryReport> {
  const decoder = options.decoder ?? decoderPool(options.threads ?? defaultThreads())
  try {
    return await new Verification(repository, options, decoder).run()
  } finally {
    if (options.decoder === undefined) await decoder.close()
  }
}

class Verification {
  readonly #repository: Repository
  readonly #options: VerifyRepositoryOptions
  readonly #catalogue: BackupCatalogue
  readonly #reader: ObjectReader
  readonly #clock: Clock
  readonly #findings: RepositoryFinding[] = []
  readonly #needed = new NeededObjects()
  /** By key: backups share them. */
  readonly #lists = new Map<string, PartitionList>()
  readonly #counts = { readObjects: 0, seenObjects: 0, readBytes: 0 }

  constructor(repository: Repository, options: VerifyRepositoryOptions, decoder: ObjectDecoder) {
    this.#repository = repository
    this.#options = options
    this.#catalogue = new BackupCatalogue(repository)
    this.#clock = options.clock ?? systemClock
    const { readBytesPerSecond = 0, signal = null } = options
    const throttle = new IoThrottle(readBytesPerSecond, this.#clock, signal)
    this.#reader = new ObjectReader(repository, decoder, throttle)
  }

  async run(): Promise<VerifyRepositoryReport> {
    const startedMs = this.#clock.monotonic()
    // What this process knows of keys may not be what is in the repository.
    this.#repository.keys.forgetEpochs()
    this.#findings.push(...(await checkKeys(this.#repository)))
    const names = this.#options.backups ?? (await this.#catalogue.list())
    const all: ReadManifest[] = []
    let before: ReadManifest | null = null
    for (const name of names) {
      this.#options.signal?.throwIfAborted()
      const read = await this.#readBackup(name)
      if (read !== null) {
        this.#checkHistory(read, before)
        all.push(read)
      }
      before = read
    }
    if (this.#options.backups === undefined) {
      this.#findings.push(...(await findMissingBackups(this.#repository, all)))
    }
    await this.#checkObjects()
    const unsound = new Set(this.#findings.map(({ backupId }) => backupId))
    return {
      backups: names.length,
      ...this.#counts,
      durationMs: this.#clock.monotonic() - startedMs,
      findings: this.#findings,
      sound: names.map(({ backupId }) => backupId).filter((id) => !unsound.has(id)),
    }
  }

  async #readBackup(name: BackupName): Promise<ReadManifest | null> {
    const key = manifestKey(name)
    try {
      const read = await this.#catalogue.read(name)
      await this.#readLists(read)
      return read
    } catch (error) {
      const isGone = error instanceof BackupNotFoundError
      this.#failed(isGone ? new MissingObjectError(key) : error, key, name.backupId, null)
      return null
    }
  }

  async #readLists({ name, manifest }: ReadManifest): Promise<void> {
    const { backupId, gaps, partitions, sets } = manifest
    for (const { topic, partition, from, to, reason } of gaps) {
      const records = { topic, partition, from, to }
      const message = `was not in the source: ${reason}`
      this.#findings.push({ code: 'gap', key: manifestKey(name), backupId, records, message })
    }
    const lists: PartitionList[] = []
    for (const stored of partitions) {
      const { topic, partition, logStartOffset: from, endOffset: to } = stored
      const key = objectKey(sets[stored.set] ?? '', stored.list)
      try {
        const list = this.#lists.get(key) ?? (await this.#catalogue.partitionList(manifest, stored))
        this.#lists.set(key, list)
        checkPartitionList(manifest, stored, list)
        this.#needed.add(manifest, key, list)
        lists.push(list)
      } catch (error) {
        this.#failed(error, key, backupId, { topic, partition, from, to })
      }
    }
    // Without all lists it is not known what should be referred to.
    const expected = lists.length === partitions.length ? referencesOf(manifest, lists) : null
    await this.#checkReferences(name, expected)
  }

  /** What those see who tidy up must be what is needed. */
  async #checkReferences(name: BackupName, expected: ObjectReferences | null): Promise<void> {
    const key = referencesKey(name)
    try {
      const found = await this.#catalogue.references(name)
      if (found === null) throw new MissingObjectError(key)
      if (expected !== null && !isSame(found, expected)) {
        throw new CorruptRepositoryError(key, 'it does not name the objects of the backup')
      }
    } catch (error) {
      this.#failed(error, key, name.backupId, null)
    }
  }

  async #checkObjects(): Promise<void> {
    const { newSinceMs = 0, fraction = 1, random = randomFraction } = this.#options
    const wanted = this.#needed.all()
    const totalBytes = wanted.reduce((sum, { extent }) => sum + extent.sizeBytes, 0)
    const meter = new ProgressMeter(totalBytes, this.#clock, this.#options.onProgress)
    const waiting = wanted.toReversed()
    let hasFailed = false
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined && !hasFailed; next = waiting.pop()) {
        try {
          this.#options.signal?.throwIfAborted()
          const isNew = next.oldestMs >= newSinceMs
          await this.#checkObject(next, isNew && (fraction >= 1 || random() < fraction))
        } catch (error) {
          hasFailed = true
          throw error
        }
        meter.advance(next.extent.sizeBytes)
      }
    }
    const lanes = 2 * (this.#options.threads ?? defaultThreads())
    const results = await Promise.allSettled(Array.from({ length: lanes }, lane))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    meter.finish()
  }

  async #checkObject(needed: NeededObject, isRead: boolean): Promise<void> {
    const { key, set, extent, hasBatches } = needed
    try {
      if (isRead) {
        await this.#reader.check(set, extent, hasBatches)
        this.#counts.readObjects++
        this.#counts.readBytes += extent.sizeBytes
        return
      }
      this.#counts.seenObjects++
      if ((await this.#repository.target.stat(key)) === null) throw new MissingObjectError(key)
    } catch (error) {
      for (const { backupId, records } of needed.uses()) {
        this.#failed(error, key, backupId, records)
      }
    }
  }

  /** Each manifest names the one before it by its hash. */
  #checkHistory({ name, manifest }: ReadManifest, before: ReadManifest | null): void {
    const isNext =
      before !== null &&
      before.name.sourceId === name.sourceId &&
      before.name.sequence + 1 === name.sequence
    if (!isNext || manifest.previous === null || manifest.previous.equals(before.fileHash)) return
    this.#findings.push({
      code: 'history',
      key: manifestKey(before.name),
      backupId: before.name.backupId,
      records: null,
      message: 'it is not the manifest that was there when the next backup was taken',
    })
  }

  /** Throws what says nothing of the repository. */
  #failed(
    error: unknown,
    key: string,
    backupId: string,
    records: RepositoryFinding['records'],
  ): void {
    this.#findings.push(findingOf(error, key, backupId, records))
  }
}

function isSame(found: ObjectReferences, expected: ObjectReferences): boolean {
  const counts = [found, expected].map((references) =>
    [...references.values()].reduce((sum, ids) => sum + ids.size, 0),
  )
  if (counts[0] !== counts[1]) return false
  return [...expected].every(([set, ids]) => [...ids].every((id) => found.get(set)?.has(id)))
}
