import {
  type AbortedTransaction,
  CleanedSegmentWriter,
  type FileSystem,
  type Log,
  LogLockedError,
  nodeFileSystem,
  reindexLog,
  type SegmentInfo,
} from '@varve/log'
import {
  decodePartitionMetadata,
  decodeSegmentDigest,
  listSegments,
  parsePartitionDirectoryName,
  partitionMetadataFileName,
  readSmallFile,
  type SegmentDigest,
  segmentDigestBytesMax,
  segmentFileName,
} from '@varve/log/files'
import { type Batch, crc32c, InvalidArgumentError, readBatches, VarveError } from '@varve/record'
import {
  BackupKeyError,
  CorruptRepositoryError,
  MissingObjectError,
  TargetError,
} from '../base/backup-errors.ts'
import { inlineDecoder, type ObjectDecoder } from '../reading/object-decoder.ts'
import { ObjectReader } from '../reading/object-reader.ts'
import type { Repository } from '../repository/repository.ts'
import { SegmentComparison } from './segment-comparison.ts'
import { type StoredCopy, storedCopies, type WantedSegment } from './stored-segments.ts'

/** What became of a segment that was looked at. */
export type HealOutcome =
  | { readonly kind: 'healed'; readonly backupId: string; readonly sizeBytes: number }
  /** Every byte is what the repository has. */
  | { readonly kind: 'sound' }
  /** It is as it was: why. */
  | { readonly kind: 'refused'; readonly reasons: readonly string[] }

export interface SegmentHealerOptions {
  /** Of the logs. @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue in the caller's thread */
  readonly decoder?: ObjectDecoder
  /** Changes nothing: what could be healed counts as healed. @defaultValue false */
  readonly isDryRun?: boolean
}

const metadataBytesMax = 4096
const transactionIndexBytesMax = 2 ** 30

/**
 * Puts a segment that has rotted as some backup has it, sound, in its place. Nothing takes the
 * place of anything unless it is proven to be what the log once sealed.
 */
export class SegmentHealer {
  readonly #repositories: readonly Repository[]
  readonly #fs: FileSystem
  readonly #decoder: ObjectDecoder
  readonly #isDryRun: boolean

  /** @param repositories are asked in this order */
  constructor(repositories: readonly Repository[], options: SegmentHealerOptions = {}) {
    this.#repositories = repositories
    this.#fs = options.fs ?? nodeFileSystem
    this.#decoder = options.decoder ?? inlineDecoder()
    this.#isDryRun = options.isDryRun ?? false
  }

  /**
   * Heals a sealed segment of an open log, as `Log.segments` describes it; its readers go on.
   * Nobody else may replace segments of the log meanwhile. Rejects with the errors of the log's
   * storage.
   */
  async healOpen(log: Log, info: SegmentInfo): Promise<HealOutcome> {
    const wanted = this.#wanted(log.directory, info)
    const aborted = this.#abortedIn(log, info)
    return this.#heal(wanted, info.path, async (batches, comparison) => {
      if (aborted === null) return 'its transaction index is damaged too: reindex the log, closed'
      const writer = new CleanedSegmentWriter(log.directory, info.baseOffset, {
        fs: this.#fs,
        log: { indexIntervalBytes: log.options.indexIntervalBytes },
      })
      try {
        for await (const batch of batches) await writer.append(batch)
        const refusal = comparison.refusal()
        if (refusal !== null || comparison.isSame || this.#isDryRun) {
          await writer.abandon()
          return refusal
        }
        for (const transaction of aborted) writer.addAbortedTransaction(transaction)
      } catch (error) {
        await writer.abandon()
        throw error
      }
      await log.replaceSegments([await writer.finish(info.nextOffset)], [info])
      return null
    })
  }

  /**
   * Looks at sealed segments of a closed partition, and heals those that are not as a backup has
   * them. Resolves to what became of each, by its path. Takes the lock of the data directory, or
   * rejects with LogLockedError.
   *
   * @param wants which, by the path of their `.log`
   */
  async healClosed(
    directory: string,
    wants: (path: string) => boolean = () => true,
  ): Promise<ReadonlyMap<string, HealOutcome>> {
    const fs = this.#fs
    const slash = directory.lastIndexOf('/')
    const lockPath = `${directory.slice(0, Math.max(0, slash)) || '.'}/.lock`
    const lock = await fs.lock(lockPath)
    if (lock === null) throw new LogLockedError(directory, fs.lockHolder?.(lockPath) ?? null)
    try {
      const outcomes = new Map<string, HealOutcome>()
      const segments = listSegments(fs, directory)
      for (const [index, { path, baseOffset }] of segments.entries()) {
        const next = segments[index + 1]
        if (next === undefined) break
        if (!wants(path)) continue
        const sizeBytes = this.#digestOf(path)?.sizeBytes ?? fs.stat(path)?.sizeBytes ?? 0
        const info = { baseOffset, nextOffset: next.baseOffset, sizeBytes }
        const wanted = this.#wanted(directory, info)
        const replace = this.#replaceFile(directory, path)
        outcomes.set(path, await this.#heal(wanted, path, replace))
      }
      return outcomes
    } finally {
      lock.release()
    }
  }

  #replaceFile(directory: string, path: string): Replace {
    const fs = this.#fs
    return async (batches, comparison) => {
      const beside = `${path}.healing`
      const file = fs.open(beside, 'replace')
      try {
        let position = 0
        for await (const { bytes } of batches) {
          for (let written = 0; written < bytes.length; ) {
            const count = await file.write(bytes.subarray(written), position)
            if (count === 0) throw Object.assign(new Error(`no progress in ${beside}`), eio)
            written += count
            position += count
          }
        }
        await file.datasync()
      } catch (error) {
        file.close()
        await fs.remove(beside)
        throw error
      }
      file.close()
      const refusal = comparison.refusal()
      if (refusal !== null || comparison.isSame || this.#isDryRun) {
        await fs.remove(beside)
        return refusal
      }
      fs.rename(beside, path)
      await fs.syncDirectory(directory)
      await reindexLog(path, { fs, isLocked: true })
      return null
    }
  }

  async #heal(wanted: WantedSegment, path: string, replace: Replace): Promise<HealOutcome> {
    const reasons: string[] = []
    for (const repository of this.#repositories) {
      for await (const copy of storedCopies(repository, wanted, (why) => reasons.push(why))) {
        try {
          const outcome = await this.#healFrom(copy, wanted, path, replace)
          if (outcome.kind !== 'refused') return outcome
          reasons.push(...outcome.reasons)
        } catch (error) {
          // The next copy may be whole; a failure of the log's own storage is another matter.
          if (!isAboutCopy(error)) throw error
          reasons.push(`backup ${copy.backupId}: ${error.message}`)
        }
      }
    }
    if (reasons.length === 0) reasons.push('no backup has this segment')
    return { kind: 'refused', reasons }
  }

  async #healFrom(
    copy: StoredCopy,
    wanted: WantedSegment,
    path: string,
    replace: Replace,
  ): Promise<HealOutcome> {
    const file = this.#fs.open(path, 'read')
    try {
      const comparison = new SegmentComparison(file, this.#digestOf(path))
      const refusal = await replace(this.#batchesOf(copy, wanted, comparison), comparison)
      if (refusal !== null) {
        return { kind: 'refused', reasons: [`backup ${copy.backupId}: ${refusal}`] }
      }
      if (comparison.isSame) return { kind: 'sound' }
      return { kind: 'healed', backupId: copy.backupId, sizeBytes: wanted.sizeBytes }
    } finally {
      file.close()
    }
  }

  /** Each proven, in its place, and compared with what the log has. */
  async *#batchesOf(
    { repository, sets, segment }: StoredCopy,
    { baseOffset, nextOffset }: WantedSegment,
    comparison: SegmentComparison,
  ): AsyncGenerator<Batch, void, undefined> {
    const reader = new ObjectReader(repository, this.#decoder)
    let next = baseOffset
    for (const extent of segment.extents) {
      const content = await reader.read(sets[segment.set] ?? '', extent, true)
      for (const batch of readBatches(
        Buffer.from(content.buffer, content.byteOffset, content.byteLength),
      )) {
        if (batch.lastOffset < next || batch.nextOffset > nextOffset) {
          const reason = `offset ${batch.lastOffset} is out of its place`
          throw new CorruptRepositoryError(`segment ${baseOffset}`, reason)
        }
        next = batch.nextOffset
        comparison.add(batch)
        yield batch
      }
    }
  }

  #wanted(
    directory: string,
    { baseOffset, nextOffset, sizeBytes }: Omit<SegmentInfo, 'path' | 'maxTimestamp'>,
  ): WantedSegment {
    const parsed = parsePartitionDirectoryName(directory.slice(directory.lastIndexOf('/') + 1))
    if (parsed === null) {
      throw new InvalidArgumentError('directory', directory, 'is not that of a partition')
    }
    const { topic, partition } = parsed
    const path = `${directory}/${partitionMetadataFileName}`
    const bytes = readSmallFile(this.#fs, path, metadataBytesMax)
    const topicId = bytes === null ? null : decodePartitionMetadata(bytes, path)
    return { topic, partition, topicId, baseOffset, nextOffset, sizeBytes }
  }

  /** Null where there is none that can be read. */
  #digestOf(path: string): SegmentDigest | null {
    const digestPath = path.replace(/log$/, 'digest')
    const bytes = readSmallFile(this.#fs, digestPath, segmentDigestBytesMax)
    if (bytes === null) return null
    try {
      return decodeSegmentDigest(bytes, digestPath)
    } catch (error) {
      if (error instanceof VarveError) return null
      throw error
    }
  }

  /** The aborted transactions whose markers are in a segment; null where the index is damaged. */
  #abortedIn(log: Log, info: SegmentInfo): readonly AbortedTransaction[] | null {
    const digest = this.#digestOf(info.path)
    const name = segmentFileName(info.baseOffset, 'txnindex')
    const bytes = readSmallFile(this.#fs, `${log.directory}/${name}`, transactionIndexBytesMax)
    const checksum = bytes === null || bytes.length === 0 ? 0 : crc32c(bytes)
    if (digest !== null && digest.transactionIndexCrc32c !== checksum) return null
    try {
      const { baseOffset, nextOffset } = info
      return log
        .abortedTransactions(baseOffset, nextOffset)
        .filter(({ lastOffset }) => lastOffset >= baseOffset && lastOffset < nextOffset)
    } catch (error) {
      if (error instanceof VarveError) return null
      throw error
    }
  }
}

/** Puts batches in the place of a segment. Resolves to why it did not. */
type Replace = (
  batches: AsyncGenerator<Batch, void, undefined>,
  comparison: SegmentComparison,
) => Promise<string | null>

const eio = { code: 'EIO' }

/** Whether it is the repository that has not what it should have, and not the log. */
function isAboutCopy(error: unknown): error is VarveError {
  return (
    error instanceof CorruptRepositoryError ||
    error instanceof MissingObjectError ||
    error instanceof BackupKeyError ||
    error instanceof TargetError
  )
}
