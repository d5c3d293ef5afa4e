import {
  type FileSystem,
  type Log,
  type LogDirectory,
  type LogSnapshot,
  nodeFileSystem,
} from '@varve/log'
import { parsePartitionDirectoryName } from '@varve/log/files'
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

export interface LiveSourceOptions {
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue beside the data directory */
  readonly workDirectory?: string
  /** @defaultValue the system's */
  readonly now?: () => number
}

/**
 * A data directory that this process has open. All logs are looked at in one go, in which nothing
 * else runs: a record, its group's offset and its transaction's marker are seen together or not at
 * all.
 */
export class LiveSource implements BackupSource {
  readonly name: string
  readonly #directory: LogDirectory
  readonly #fs: FileSystem
  readonly #workDirectory: string
  readonly #now: () => number

  constructor(directory: LogDirectory, options: LiveSourceOptions = {}) {
    this.name = directory.path
    this.#directory = directory
    this.#fs = options.fs ?? nodeFileSystem
    this.#workDirectory = options.workDirectory ?? workDirectoryOf(directory.path)
    this.#now = options.now ?? Date.now
  }

  snapshot(options: SnapshotOptions = {}): Promise<SourceSnapshot> {
    return withOurErrors(`looking at ${this.name}`, () => this.#snapshot(options))
  }

  async #snapshot(options: SnapshotOptions): Promise<SourceSnapshot> {
    const held = new HeldFiles(this.#fs, this.#workDirectory)
    await held.releaseAbandoned()
    const pinned: LogSnapshot[] = []
    const release = async (): Promise<void> => {
      for (const snapshot of pinned.splice(0)) snapshot.release()
      await held.release()
    }
    try {
      const takenMs = this.#now()
      const logs = [...this.#directory.logs.values()]
      const files = directoryFiles(this.#fs, this.name)
      const missing = [...this.#directory.failures].flatMap(missingOf)
      const partitions = logs.flatMap((log) => {
        try {
          const snapshot = log.snapshot()
          pinned.push(snapshot)
          return this.#partitionOf(log, snapshot, held, options)
        } catch (error) {
          if (!isFileProblem(error)) throw error
          missing.push(...missingOf([log.name, error]))
          return []
        }
      })
      // Links keep the files: the logs may delete and replace them again.
      if (held.canLink) for (const snapshot of pinned.splice(0)) snapshot.release()
      return { takenMs, partitions, missing, files, release, [Symbol.asyncDispose]: release }
    } catch (error) {
      await release()
      throw error
    }
  }

  fingerprint(): string {
    const logs = [...this.#directory.logs.values()].map((log) => {
      const { name, logStartOffset, highWatermark, segmentCount, sizeBytes } = log
      return `${name} ${logStartOffset} ${highWatermark} ${segmentCount} ${sizeBytes}`
    })
    return [...filesPrint(directoryFiles(this.#fs, this.name)), ...logs].join('\n')
  }

  #partitionOf(
    log: Log,
    snapshot: LogSnapshot,
    held: HeldFiles,
    { isStored = () => false }: SnapshotOptions,
  ): PartitionSnapshot[] {
    const parsed = parsePartitionDirectoryName(log.name)
    if (parsed === null) return []
    const { topic, partition } = parsed
    const files = partitionFiles(this.#fs, log.directory, snapshot.endOffset)
    const all = log.segments()
    const segments = snapshot.segments.map((info, index): SegmentSnapshot => {
      const stat = this.#fs.stat(info.path)
      const identity = {
        baseOffset: info.baseOffset,
        sizeBytes: info.sizeBytes,
        // Also the last one, where the active segment has nothing yet.
        isSealed: index < all.length - 1 && info.sizeBytes === all[index]?.sizeBytes,
        fileId: stat?.fileId ?? -1,
        modifiedMs: stat?.modifiedMs ?? -1,
      }
      return {
        ...identity,
        // Where compaction took the last offsets of a segment, it still reaches to the next one.
        nextOffset: snapshot.segments[index + 1]?.baseOffset ?? info.nextOffset,
        path: isStored(identity) ? info.path : held.hold(info.path, log.name),
        sourcePath: info.path,
      }
    })
    const { logStartOffset, endOffset } = snapshot
    const topicId = topicIdOf(files, log.directory)
    return [{ topic, partition, topicId, logStartOffset, endOffset, segments, files }]
  }
}

function missingOf([name, error]: readonly [string, Error]): MissingPartition[] {
  const parsed = parsePartitionDirectoryName(name)
  if (parsed === null) return []
  return [{ topic: parsed.topic, partition: parsed.partition, reason: error.message }]
}
