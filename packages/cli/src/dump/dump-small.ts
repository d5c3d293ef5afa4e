import { type FileSystem, nodeFileSystem } from '@varve/log'
import {
  CorruptCheckpointError,
  CorruptDigestError,
  CorruptPartitionMetadataError,
  CorruptProducerSnapshotError,
  checkpointBytesMax,
  decodeOffsetCheckpoint,
  decodePartitionMetadata,
  decodeProducerSnapshot,
  decodeSegmentDigest,
  isSystemError,
  LeaderEpochCache,
  ProgressFile,
  progressFileBytes,
  readSmallFile,
} from '@varve/log/files'
import type { DumpContext } from './dump-context.ts'

/** Files that are small by nature, and so are read at once. */
export type SmallFileKind =
  | 'snapshot'
  | 'digest'
  | 'progress'
  | 'leaderEpochs'
  | 'offsets'
  | 'metadata'
  | 'text'

export interface SmallFile {
  readonly path: string
  /** As it is printed. */
  readonly name: string
  readonly kind: SmallFileKind
}

/** A producer's entry has 50 bytes: more than a million producers. Nothing else comes near. */
const bytesMax: number = checkpointBytesMax

interface Description {
  /** The fields behind `file` and `type`. */
  readonly fields: object
  readonly problem: string | null
}

/** Prints one small file: as a line of JSON, or its fields for people. */
export async function dumpSmallFile(context: DumpContext, small: SmallFile): Promise<void> {
  const { lines, options } = context
  const described = describeSmallFile(small)
  if (described.problem !== null) context.hasFindings = true
  if (options.json) {
    lines.json({ file: small.name, type: typeNames[small.kind], ...described.fields })
  } else {
    lines.line(small.name)
    for (const [name, value] of Object.entries(described.fields)) explainField(context, name, value)
  }
  await lines.flush()
}

const typeNames: { readonly [Kind in SmallFileKind]: string } = {
  snapshot: 'snapshot',
  digest: 'digest',
  progress: 'progress',
  leaderEpochs: 'leader-epochs',
  offsets: 'offsets',
  metadata: 'metadata',
  text: 'text',
}

function explainField({ lines }: DumpContext, name: string, value: unknown): void {
  if (!Array.isArray(value)) {
    lines.line(`  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    return
  }
  lines.line(`  ${name}: ${value.length}`)
  for (const entry of value) {
    const isList = Array.isArray(entry)
    lines.line(`    ${isList ? entry.join('  ') : explainObject(entry)}`)
  }
}

function explainObject(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) return String(entry)
  return Object.entries(entry)
    .map(([name, value]) => `${name} ${value}`)
    .join('  ')
}

/** Reads and describes a file; damage is part of the description. */
export function describeSmallFile(small: SmallFile, fs: FileSystem = nodeFileSystem): Description {
  let bytes: Buffer | null
  try {
    bytes = readSmallFile(fs, small.path, bytesMax)
  } catch (error) {
    if (!isSystemError(error, 'EFBIG')) throw error
    return damaged(small.kind, `it has more than ${bytesMax} bytes`)
  }
  if (bytes === null) return damaged(small.kind, 'it is gone')
  try {
    return { fields: readers[small.kind](bytes, small.path), problem: null }
  } catch (error) {
    if (!isCorruption(error)) throw error
    return damaged(small.kind, error.reason)
  }
}

type Corruption = { readonly reason: string }

function isCorruption(error: unknown): error is Corruption {
  return (
    error instanceof CorruptCheckpointError ||
    error instanceof CorruptDigestError ||
    error instanceof CorruptPartitionMetadataError ||
    error instanceof CorruptProducerSnapshotError ||
    error instanceof CorruptProgressError
  )
}

/** No slot of a progress file is valid. The engine takes it for an absent one. */
class CorruptProgressError extends Error {
  readonly reason = 'neither of its slots is valid'
}

function damaged(kind: SmallFileKind, reason: string): Description {
  const fields = kind === 'snapshot' ? { corrupt: true, reason, producers: [] } : { sanity: reason }
  return { fields, problem: reason }
}

const readers: { readonly [Kind in SmallFileKind]: (bytes: Buffer, path: string) => object } = {
  snapshot: readSnapshot,
  digest: (bytes, path) => ({ sanity: 'ok', ...decodeSegmentDigest(bytes, path) }),
  progress: (bytes) => {
    const progress = ProgressFile.read(bytes.subarray(0, progressFileBytes))
    if (progress === null) throw new CorruptProgressError()
    return { sanity: 'ok', ...progress }
  },
  leaderEpochs: (bytes, path) => ({
    sanity: 'ok',
    entries: LeaderEpochCache.decode(bytes, path)
      .entries()
      .map(({ epoch, startOffset }) => [epoch, startOffset]),
  }),
  offsets: (bytes, path) => ({
    sanity: 'ok',
    entries: [...decodeOffsetCheckpoint(bytes, path)],
  }),
  metadata: (bytes, path) => ({ sanity: 'ok', topicId: decodePartitionMetadata(bytes, path) }),
  text: (bytes) => ({ lines: bytes.toString('utf8').trimEnd().split('\n') }),
}

/** The fields of each producer under the names that other readers of the format use. */
function readSnapshot(bytes: Buffer, path: string): object {
  const producers = decodeProducerSnapshot(bytes, path).map((producer) => {
    const batch = producer.batches.at(-1)
    return {
      producerId: producer.producerId,
      epoch: producer.epoch,
      coordinatorEpoch: producer.coordinatorEpoch,
      firstSeq: batch?.firstSequence ?? -1,
      lastSeq: batch?.lastSequence ?? -1,
      lastOffset: batch?.lastOffset ?? -1,
      lastTimestamp: producer.lastTimestamp,
      currentTxnFirstOffset: producer.currentTransactionFirstOffset,
    }
  })
  return { corrupt: false, producers }
}
