import type { Offset } from '@varve/record'
import type { LogCheckpoints } from '../base/log-checkpoints.ts'
import {
  cleanerOffsetCheckpointFileName,
  logStartOffsetCheckpointFileName,
  recoveryPointCheckpointFileName,
  replicationOffsetCheckpointFileName,
} from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { OffsetCheckpointFile } from './offset-checkpoint.ts'

/**
 * Kafka's three checkpoint files of a data directory: recovery points, log start offsets, high
 * watermarks. An unreadable one counts as empty, as in Kafka: all of them are lower bounds.
 */
export class DataCheckpoints {
  /** Up to where each compacted log is clean. Kept by whoever compacts; nothing here reads it. */
  readonly cleaned: OffsetCheckpointFile
  readonly #recoveryPointFile: OffsetCheckpointFile
  readonly #logStartFile: OffsetCheckpointFile
  readonly #highWatermarkFile: OffsetCheckpointFile
  readonly #recoveryPoints: Map<string, Offset>
  readonly #logStarts: Map<string, Offset>

  constructor(fs: FileSystem, directory: string) {
    this.#recoveryPointFile = new OffsetCheckpointFile(
      fs,
      `${directory}/${recoveryPointCheckpointFileName}`,
    )
    this.#logStartFile = new OffsetCheckpointFile(
      fs,
      `${directory}/${logStartOffsetCheckpointFileName}`,
    )
    this.#highWatermarkFile = new OffsetCheckpointFile(
      fs,
      `${directory}/${replicationOffsetCheckpointFileName}`,
    )
    this.cleaned = new OffsetCheckpointFile(fs, `${directory}/${cleanerOffsetCheckpointFileName}`)
    this.#recoveryPoints = this.#recoveryPointFile.readOrEmpty()
    this.#logStarts = this.#logStartFile.readOrEmpty()
  }

  /** What one log sees of them. */
  of(name: string): LogCheckpoints {
    const recoveryPoint = this.#recoveryPoints.get(name) ?? null
    return new PartitionCheckpoints(this, name, recoveryPoint, this.#logStarts.get(name) ?? null)
  }

  get logStartPath(): string {
    return this.#logStartFile.path
  }

  /** Makes the log start offset of one log durable. */
  async saveLogStartOffset(name: string, offset: Offset): Promise<void> {
    this.#logStarts.set(name, offset)
    await this.#logStartFile.write(this.#logStarts)
  }

  /** One log was closed at this recovery point, which is written with those of the others. */
  closed(name: string, recoveryPoint: Offset): void {
    this.#recoveryPoints.set(name, recoveryPoint)
  }

  /** Writes recovery points, and high watermarks beside them. */
  async save(
    logs: Iterable<{ name: string; recoveryPoint: Offset; highWatermark: Offset }>,
  ): Promise<void> {
    const highWatermarks = new Map<string, Offset>()
    for (const { name, recoveryPoint, highWatermark } of logs) {
      this.#recoveryPoints.set(name, recoveryPoint)
      highWatermarks.set(name, highWatermark)
    }
    await this.#recoveryPointFile.write(this.#recoveryPoints)
    await this.#highWatermarkFile.write(highWatermarks)
  }

  /** Takes a log's offsets over, durably, from where they were kept before. */
  async adopt(
    name: string,
    offsets: { readonly recoveryPoint: Offset | null; readonly logStartOffset: Offset | null },
  ): Promise<void> {
    const { recoveryPoint, logStartOffset } = offsets
    if (recoveryPoint !== null) {
      this.#recoveryPoints.set(name, recoveryPoint)
      await this.#recoveryPointFile.write(this.#recoveryPoints)
    }
    if (logStartOffset !== null) {
      this.#logStarts.set(name, logStartOffset)
      await this.#logStartFile.write(this.#logStarts)
    }
  }

  /** A log is gone for good: what its name says next is about another one. */
  async forget(name: string): Promise<void> {
    if (this.#recoveryPoints.delete(name)) await this.#recoveryPointFile.write(this.#recoveryPoints)
    if (this.#logStarts.delete(name)) await this.#logStartFile.write(this.#logStarts)
    if (this.cleaned.readOrEmpty().has(name)) await this.cleaned.writeOne(name, null)
  }
}

/** What the files said of one log when it was asked for. */
class PartitionCheckpoints implements LogCheckpoints {
  readonly #all: DataCheckpoints
  readonly #name: string
  readonly recoveryPoint: Offset | null
  readonly logStartOffset: Offset | null

  constructor(
    all: DataCheckpoints,
    name: string,
    recoveryPoint: Offset | null,
    logStartOffset: Offset | null,
  ) {
    this.#all = all
    this.#name = name
    this.recoveryPoint = recoveryPoint
    this.logStartOffset = logStartOffset
  }

  get logStartPath(): string {
    return this.#all.logStartPath
  }

  saveLogStartOffset(offset: Offset): Promise<void> {
    return this.#all.saveLogStartOffset(this.#name, offset)
  }

  async closed(recoveryPoint: Offset): Promise<void> {
    this.#all.closed(this.#name, recoveryPoint)
  }
}
