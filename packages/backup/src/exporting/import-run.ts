import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import {
  type Clock,
  type File,
  type FileSystem,
  nodeFileSystem,
  reindexLog,
  systemClock,
} from '@varve/log'
import {
  encodePartitionMetadata,
  newTopicId,
  partitionDirectoryName,
  partitionMetadataFileName,
  removeTree,
  replaceSmallFile,
  segmentFileName,
} from '@varve/log/files'
import {
  type Batch,
  emptyBatchOf,
  InvalidArgumentError,
  type Offset,
  RecordBatchBuilder,
} from '@varve/record'
import type { HistoryPartition, RecordHistory } from '../reading/record-history.ts'

/** A topic that is imported. */
export interface ImportedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: number
}

export interface ImportOptions {
  /**
   * Called when all logs are there, durably, and the data directory has not got its name yet: for
   * what only those know who know what is in topics.
   */
  readonly complete?: (directory: string, topics: readonly ImportedTopic[]) => Promise<void>
  /** About so many; a segment ends with a batch. @defaultValue 512 MiB */
  readonly segmentBytes?: number
  readonly signal?: AbortSignal
  readonly fs?: FileSystem
  readonly clock?: Clock
}

export interface ImportReport {
  readonly from: string
  readonly to: string
  readonly topics: readonly ImportedTopic[]
  readonly partitions: number
  readonly recordBatches: number
  readonly sizeBytes: number
  readonly durationMs: number
}

/**
 * Makes a data directory of a history: every record at the offset that it has there, and every
 * partition as long as it is there. It gets its name when all of it is durable.
 *
 * Rejects with InvalidArgumentError when there is something at `to` already, and with whatever
 * reading rejects with.
 */
export async function importToDirectory(
  history: RecordHistory,
  to: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const { fs = nodeFileSystem, clock = systemClock } = options
  const begunMs = clock.now()
  if (fs.stat(to) !== null && (fs.stat(to)?.isDirectory !== true || fs.list(to).length > 0)) {
    throw new InvalidArgumentError('to', to, 'is there already, and not an empty directory')
  }
  const staging = `${to}.importing`
  // What an import that was interrupted has left.
  if (fs.stat(staging) !== null) await removeTree(fs, staging)
  fs.makeDirectory(staging)
  const run = new Import(fs, staging, history, options)
  const counts = await run.run()
  options.signal?.throwIfAborted()
  if (fs.stat(to) !== null) await fs.removeDirectory(to)
  fs.rename(staging, to)
  await fs.syncDirectory(dirname(to))
  return { from: history.name, to, ...counts, durationMs: clock.now() - begunMs }
}

class Import {
  readonly #fs: FileSystem
  readonly #staging: string
  readonly #history: RecordHistory
  readonly #options: ImportOptions
  #recordBatches = 0
  #sizeBytes = 0

  constructor(fs: FileSystem, staging: string, history: RecordHistory, options: ImportOptions) {
    this.#fs = fs
    this.#staging = staging
    this.#history = history
    this.#options = options
  }

  async run(): Promise<Omit<ImportReport, 'from' | 'to' | 'durationMs'>> {
    const topics = topicsOf(this.#history)
    const { partitions } = this.#history
    for (const { name, topicId, partitions: count } of topics) {
      for (let partition = 0; partition < count; partition++) {
        const source = partitions.find(
          (other) => other.topic === name && other.partition === partition,
        )
        await this.#writePartition(name, partition, topicId, source ?? null)
      }
    }
    await this.#fs.syncDirectory(this.#staging)
    await this.#options.complete?.(this.#staging, topics)
    const counts = { recordBatches: this.#recordBatches, sizeBytes: this.#sizeBytes }
    return { topics, partitions: partitions.length, ...counts }
  }

  async #writePartition(
    topic: string,
    partition: number,
    topicId: string,
    source: HistoryPartition | null,
  ): Promise<void> {
    const fs = this.#fs
    const directory = `${this.#staging}/${partitionDirectoryName(topic, partition)}`
    fs.makeDirectory(directory)
    const { segmentBytes = 512 * 2 ** 20, signal } = this.#options
    const writer = new SegmentedWriter(fs, directory, source?.logStartOffset ?? 0, segmentBytes)
    try {
      if (source !== null) {
        for await (const batch of source.batches({ from: source.logStartOffset })) {
          signal?.throwIfAborted()
          await writer.append(batch)
          this.#recordBatches++
        }
        await writer.reach(source.endOffset)
      }
      this.#sizeBytes += await writer.finish()
    } finally {
      writer.close()
    }
    const metadata = encodePartitionMetadata(topicId)
    await replaceSmallFile(fs, `${directory}/${partitionMetadataFileName}`, metadata)
    await reindexLog(directory, { fs, isLocked: true })
    await fs.syncDirectory(directory)
  }
}

/** Writes batches to segments one after the other, so that no offset is between two of them. */
class SegmentedWriter {
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #segmentBytes: number
  #file: File
  #baseOffset: Offset
  #nextOffset: Offset
  #position = 0
  #sizeBytes = 0

  constructor(fs: FileSystem, directory: string, baseOffset: Offset, segmentBytes: number) {
    this.#fs = fs
    this.#directory = directory
    this.#segmentBytes = segmentBytes
    this.#baseOffset = baseOffset
    this.#nextOffset = baseOffset
    this.#file = this.#create()
  }

  async append(batch: Batch): Promise<void> {
    const isFull = this.#position > 0 && this.#position + batch.sizeBytes > this.#segmentBytes
    if (isFull || batch.lastOffset - this.#baseOffset > offsetsPerSegment) await this.#roll()
    const { bytes } = batch
    for (let written = 0; written < bytes.length; ) {
      const count = await this.#file.write(bytes.subarray(written), this.#position)
      if (count === 0) {
        throw Object.assign(new Error(`no progress in ${this.#file.path}`), { code: 'EIO' })
      }
      written += count
      this.#position += count
    }
    this.#nextOffset = batch.nextOffset
  }

  /** Goes on to an offset of which no record is left, as compaction does: by an empty batch. */
  async reach(endOffset: Offset): Promise<void> {
    if (this.#nextOffset >= endOffset) return
    const builder = new RecordBatchBuilder({ baseOffset: endOffset - 1, leaderEpoch: 0 })
    await this.append(emptyBatchOf(builder.append({}).build()))
  }

  /** Makes it durable. Resolves to the bytes of all segments. */
  async finish(): Promise<number> {
    await this.#file.datasync()
    return this.#sizeBytes + this.#position
  }

  close(): void {
    this.#file.close()
  }

  async #roll(): Promise<void> {
    await this.#file.datasync()
    this.#file.close()
    this.#sizeBytes += this.#position
    this.#position = 0
    this.#baseOffset = this.#nextOffset
    this.#file = this.#create()
  }

  #create(): File {
    return this.#fs.open(`${this.#directory}/${segmentFileName(this.#baseOffset, 'log')}`, 'create')
  }
}

/** Indexes count offsets from their segment's base, in 31 bits. */
const offsetsPerSegment = 2 ** 31 - 1

/** With an id of its own where the history does not know one. */
function topicsOf({ partitions }: RecordHistory): readonly ImportedTopic[] {
  const topics = new Map<string, ImportedTopic>()
  for (const { topic: name, partition, topicId: given } of partitions) {
    const known = topics.get(name)
    const topicId = known?.topicId ?? given ?? newTopicId(randomBytes)
    const count = Math.max(known?.partitions ?? 0, partition + 1)
    topics.set(name, { name, topicId, partitions: count })
  }
  return [...topics.values()]
}
