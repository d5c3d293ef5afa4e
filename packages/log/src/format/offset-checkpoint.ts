import type { Offset } from '@varve/record'
import { InvalidArgumentError } from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import {
  isValidTopicName,
  parsePartitionDirectoryName,
  partitionDirectoryName,
} from '../storage/file-names.ts'
import {
  type FileSystem,
  isSystemError,
  readSmallFile,
  replaceSmallFile,
} from '../storage/file-system.ts'
import {
  CorruptCheckpointError,
  checkpointNumber,
  decodeCheckpoint,
  encodeCheckpoint,
} from './checkpoint-text.ts'

/** An offset for every partition, by the name of its directory: `<topic>-<partition>`. */
export type PartitionOffsets = ReadonlyMap<string, Offset>

const partitionMax = 2 ** 31 - 1

/** A line has at most 278 bytes, so this is at least 200,000 partitions: no data directory's. */
export const checkpointBytesMax: number = 64 * 2 ** 20

/** Kafka's OffsetCheckpointFile: `topic partition offset` a line, in the order of the map. */
export function encodeOffsetCheckpoint(offsets: PartitionOffsets): Buffer {
  const lines: string[] = []
  for (const [directoryName, offset] of offsets) {
    const name = parsePartitionDirectoryName(directoryName)
    if (name === null || name.state !== 'live') {
      throw new InvalidArgumentError('offsets', directoryName, 'a key is <topic>-<partition>')
    }
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new InvalidArgumentError('offsets', offset, 'a value is an integer of 0 to 2^53-1')
    }
    lines.push(`${name.topic} ${name.partition} ${offset}`)
  }
  return encodeCheckpoint(lines)
}

/** Throws CorruptCheckpointError, also for a partition that is named twice. */
export function decodeOffsetCheckpoint(bytes: Buffer, path: string): Map<string, Offset> {
  const offsets = new Map<string, Offset>()
  for (const line of decodeCheckpoint(bytes, path, 3)) {
    const topic = line.columns[0] ?? ''
    if (!isValidTopicName(topic)) {
      throw new CorruptCheckpointError(path, line.number, 'it does not begin with a topic name')
    }
    const partition = checkpointNumber(line, 1, path, partitionMax)
    const directoryName = partitionDirectoryName(topic, partition)
    if (offsets.has(directoryName)) {
      throw new CorruptCheckpointError(path, line.number, `${directoryName} appears twice`)
    }
    offsets.set(directoryName, checkpointNumber(line, 2, path))
  }
  return offsets
}

/**
 * One of the checkpoint files of a data directory. Writes are atomic and durable, and happen one
 * after the other in the order of the calls. Nothing else may write the file meanwhile.
 */
export class OffsetCheckpointFile {
  readonly path: string
  readonly #fs: FileSystem
  /** Settles with the last write that was asked for; its failure is told to that caller. */
  #lastWrite: Promise<unknown> = Promise.resolve()

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs
    this.path = path
  }

  /** Empty when there is no such file. Throws CorruptCheckpointError. */
  read(): Map<string, Offset> {
    const bytes = this.#readBytes()
    return bytes === null ? new Map() : decodeOffsetCheckpoint(bytes, this.path)
  }

  /**
   * As `read`; a file that cannot be read counts as empty, as in Kafka, where the offsets are lower
   * bounds. It is told on the corruption channel.
   */
  readOrEmpty(): Map<string, Offset> {
    try {
      return this.read()
    } catch (error) {
      if (!(error instanceof CorruptCheckpointError)) throw error
      logChannels.corruption.publish({ log: this.path, path: this.path, error })
      return new Map()
    }
  }

  /** The offset of one partition, null when the file says nothing about it. */
  readOne(directoryName: string): Offset | null {
    return this.read().get(directoryName) ?? null
  }

  /** Replaces the whole content. */
  write(offsets: PartitionOffsets): Promise<void> {
    const bytes = encodeOffsetCheckpoint(offsets)
    return this.#afterLastWrite(() => replaceSmallFile(this.#fs, this.path, bytes))
  }

  /** Replaces one partition's offset, or with null removes it; the others stay as they are. */
  writeOne(directoryName: string, offset: Offset | null): Promise<void> {
    return this.#afterLastWrite(() => {
      const offsets = this.read()
      if (offset === null) offsets.delete(directoryName)
      else offsets.set(directoryName, offset)
      return replaceSmallFile(this.#fs, this.path, encodeOffsetCheckpoint(offsets))
    })
  }

  #readBytes(): Buffer | null {
    try {
      return readSmallFile(this.#fs, this.path, checkpointBytesMax)
    } catch (error) {
      if (!isSystemError(error, 'EFBIG')) throw error
      throw new CorruptCheckpointError(this.path, 1, `it has more than ${checkpointBytesMax} bytes`)
    }
  }

  #afterLastWrite(write: () => Promise<void>): Promise<void> {
    const done = this.#lastWrite.then(write)
    this.#lastWrite = done.catch(() => undefined)
    return done
  }
}
