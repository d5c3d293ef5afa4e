import { type Clock, IoThrottle, systemClock } from '@varve/log'
import type { Offset, VarveError } from '@varve/record'
import { CorruptRepositoryError, MissingObjectError } from '../base/backup-errors.ts'
import type { Manifest } from '../format/manifest.ts'
import type { PartitionList, StoredExtent, StoredSegment } from '../format/partition-list.ts'
import { decoderPool } from '../reading/decoder-pool.ts'
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

export interface VerifyRepositoryOptions {
  /** Which backups. @defaultValue all */
  readonly backups?: readonly BackupName[]
  /**
   * Which part of the objects is read: 1 for all, 0.1 for a tenth, drawn anew each time. Manifests
   * and lists are always read, and every object must at least be there. @defaultValue 1
   */
  readonly fraction?: number
  /** Leaves out objects that only backups before this time need, in ms. @defaultValue none */
  readonly newSinceMs?: number
  readonly threads?: number
  /** @defaultValue 0, no limit */
  readonly readBytesPerSecond?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BackupProgress) => void
  /** @defaultValue the system's */
  readonly clock?: Clock
  /** 0 to 1. @defaultValue Math.random */
  readonly random?: () => number
  /** @defaultValue worker threads */
  readonly decoder?: ObjectDecoder
}

/** Something in the repository that is not as it must be. */
export interface RepositoryFinding {
  readonly code: 'missing' | 'damaged' | 'gap' | 'history'
  /** The file's key. */
  readonly key: string
  readonly backupId: string
  /** Which records it is about; null where it is about the whole backup. */
  readonly records: {
    readonly topic: string
    readonly partition: number
    readonly from: Offset
    readonly to: Offset
  } | null
  readonly message: string
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

/** An object, and the first segment of each backup that needs it. */
interface Needed {
  readonly set: string
  readonly extent: StoredExtent
  readonly hasBatches: boolean
  readonly users: User[]
  newestMs: number
}

interface User {
  readonly backupId: string
  readonly list: PartitionList
  readonly segment: StoredSegment
}

class Verification {
  readonly #repository: Repository
  readonly #options: VerifyRepositoryOptions
  readonly #catalogue: BackupCatalogue
  readonly #reader: ObjectReader
  readonly #clock: Clock
  readonly #findings: RepositoryFinding[] = []
  readonly #needed = new Map<string, Needed>()
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
    const names = this.#options.backups ?? (await this.#catalogue.list())
    let before: ReadManifest | null = null
    for (const name of names) {
      const read = await this.#readBackup(name)
      if (read !== null) this.#checkHistory(read, before)
      before = read
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
    try {
      const read = await this.#catalogue.read(name)
      await this.#readLists(read)
      return read
    } catch (error) {
      this.#failed(error, manifestKey(name), name.backupId, null)
      return null
    }
  }

  async #readLists({ name, manifest }: ReadManifest): Promise<void> {
    const lists: PartitionList[] = []
    for (const gap of manifest.gaps) {
      const { topic, partition, from, to, reason } = gap
      const records = { topic, partition, from, to }
      const { backupId } = manifest
      const message = `was not in the source: ${reason}`
      this.#findings.push({ code: 'gap', key: manifestKey(name), backupId, records, message })
    }
    for (const stored of manifest.partitions) {
      const { topic, partition, logStartOffset: from, endOffset: to } = stored
      const key = objectKey(manifest.sets[stored.set] ?? '', stored.list)
      try {
        const list = await this.#catalogue.partitionList(manifest, stored)
        lists.push(list)
        for (const segment of list.segments) this.#need(manifest, list, segment)
      } catch (error) {
        this.#failed(error, key, manifest.backupId, { topic, partition, from, to })
      }
    }
    if (lists.length === manifest.partitions.length)
      await this.#checkReferences(name, manifest, lists)
  }

  /** What those see who tidy up must be what is needed. */
  async #checkReferences(
    name: BackupName,
    manifest: Manifest,
    lists: readonly PartitionList[],
  ): Promise<void> {
    const key = referencesKey(name)
    const found = await this.#catalogue.references(name)
    if (found === null) throw new MissingObjectError(key)
    for (const [set, ids] of referencesOf(manifest, lists)) {
      for (const id of ids) {
        if (found.get(set)?.has(id) === true) continue
        throw new CorruptRepositoryError(key, `it does not name ${objectKey(set, id)}`)
      }
    }
  }

  #need(manifest: Manifest, list: PartitionList, segment: StoredSegment): void {
    const set = manifest.sets[segment.set] ?? ''
    let position = 0
    for (const extent of segment.extents) {
      const end = position + extent.sizeBytes
      const hasBatches = segment.damage === null || end <= segment.damage.position
      const user = { backupId: manifest.backupId, list, segment }
      const key = objectKey(set, extent.id)
      const needed = this.#needed.get(key)
      if (needed === undefined) {
        const newestMs = manifest.takenMs
        this.#needed.set(key, { set, extent, hasBatches, users: [user], newestMs })
      } else {
        needed.newestMs = Math.max(needed.newestMs, manifest.takenMs)
        if (needed.users.at(-1)?.backupId !== user.backupId) needed.users.push(user)
      }
      position = end
    }
  }

  async #checkObjects(): Promise<void> {
    const { newSinceMs = 0, fraction = 1, random = Math.random } = this.#options
    const wanted = [...this.#needed].filter(([, { newestMs }]) => newestMs >= newSinceMs)
    const totalBytes = wanted.reduce((sum, [, { extent }]) => sum + extent.sizeBytes, 0)
    const meter = new ProgressMeter(totalBytes, this.#clock, this.#options.onProgress)
    const waiting = wanted.toReversed()
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        this.#options.signal?.throwIfAborted()
        const [key, needed] = next
        await this.#checkObject(key, needed, fraction >= 1 || random() < fraction)
        meter.advance(needed.extent.sizeBytes)
      }
    }
    const lanes = 2 * (this.#options.threads ?? defaultThreads())
    await Promise.all(Array.from({ length: lanes }, lane))
    meter.finish()
  }

  async #checkObject(key: string, needed: Needed, isRead: boolean): Promise<void> {
    try {
      if (isRead) {
        await this.#reader.check(needed.set, needed.extent, needed.hasBatches)
        this.#counts.readObjects++
        this.#counts.readBytes += needed.extent.sizeBytes
        return
      }
      this.#counts.seenObjects++
      if ((await this.#repository.target.stat(key)) === null) throw new MissingObjectError(key)
    } catch (error) {
      for (const { backupId, list, segment } of needed.users) {
        const { topic, partition } = list
        const { baseOffset: from, nextOffset: to } = segment
        this.#failed(error, key, backupId, { topic, partition, from, to })
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

  /** Only what is wrong with the repository is a finding. */
  #failed(
    error: unknown,
    key: string,
    backupId: string,
    records: RepositoryFinding['records'],
  ): void {
    const isMissing = error instanceof MissingObjectError
    if (!isMissing && !(error instanceof CorruptRepositoryError)) throw error
    const code = isMissing ? 'missing' : 'damaged'
    this.#findings.push({ code, key, backupId, records, message: (error as VarveError).message })
  }
}
