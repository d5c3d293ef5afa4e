import { type CompressionType, compressionIdOf } from './compression/compression-type.ts'
import { InvalidArgumentError } from './errors.ts'
import type { Offset, Timestamp } from './units.ts'

/** What a new batch says of itself. */
export interface BatchOptions {
  /** @defaultValue 'none' */
  readonly compressionType?: CompressionType
  /** How hard to try; see `compress`. @defaultValue the codec's own */
  readonly compressionLevel?: number
  /** @defaultValue 'CreateTime' */
  readonly timestampType?: 'CreateTime' | 'LogAppendTime'
  /** Usually stamped later, by the log. @defaultValue 0 */
  readonly baseOffset?: Offset
  /** Usually stamped later, by the log. @defaultValue -1, unknown */
  readonly leaderEpoch?: number
  /** @defaultValue -1, none */
  readonly producerId?: number
  /** @defaultValue -1, none */
  readonly producerEpoch?: number
  /** @defaultValue -1, none */
  readonly baseSequence?: number
  /** @defaultValue false */
  readonly isTransactional?: boolean
  /** @defaultValue false */
  readonly isControl?: boolean
  /** Takes the place of the base timestamp; never changes the records' own. @defaultValue null */
  readonly deleteHorizon?: Timestamp | null
}

/** All of them, checked. */
export type ResolvedBatchOptions = Required<Omit<BatchOptions, 'compressionLevel'>> & {
  readonly compressionLevel: number | undefined
}

/** Batch options as they are when nothing is said. */
export const defaultBatchOptions: ResolvedBatchOptions = Object.freeze({
  compressionType: 'none',
  compressionLevel: undefined,
  timestampType: 'CreateTime',
  baseOffset: 0,
  leaderEpoch: -1,
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
  isTransactional: false,
  isControl: false,
  deleteHorizon: null,
})

const int16Max = 2 ** 15 - 1
const int32Max = 2 ** 31 - 1

const ranges = [
  { field: 'baseOffset', min: 0, max: Number.MAX_SAFE_INTEGER },
  { field: 'leaderEpoch', min: -1, max: int32Max },
  { field: 'producerId', min: -1, max: Number.MAX_SAFE_INTEGER },
  // Clients exist that number epochs and sequences without a producer id, but none goes below -1.
  { field: 'producerEpoch', min: -1, max: int16Max },
  { field: 'baseSequence', min: -1, max: int32Max },
] as const

/** Fills in the defaults. Throws an InvalidArgumentError that names the field. */
export function resolveBatchOptions(options: BatchOptions): ResolvedBatchOptions {
  const resolved = {
    compressionType: options.compressionType ?? defaultBatchOptions.compressionType,
    compressionLevel: options.compressionLevel,
    timestampType: options.timestampType ?? defaultBatchOptions.timestampType,
    baseOffset: options.baseOffset ?? defaultBatchOptions.baseOffset,
    leaderEpoch: options.leaderEpoch ?? defaultBatchOptions.leaderEpoch,
    producerId: options.producerId ?? defaultBatchOptions.producerId,
    producerEpoch: options.producerEpoch ?? defaultBatchOptions.producerEpoch,
    baseSequence: options.baseSequence ?? defaultBatchOptions.baseSequence,
    isTransactional: options.isTransactional ?? defaultBatchOptions.isTransactional,
    isControl: options.isControl ?? defaultBatchOptions.isControl,
    deleteHorizon: options.deleteHorizon ?? defaultBatchOptions.deleteHorizon,
  }
  for (const { field, min, max } of ranges) {
    const value = resolved[field]
    if (Number.isInteger(value) && value >= min && value <= max) continue
    throw new InvalidArgumentError(field, value, `must be an integer from ${min} to ${max}`)
  }
  if (compressionIdOf(resolved.compressionType) < 0) {
    const rule = 'must be none, gzip, snappy, lz4 or zstd'
    throw new InvalidArgumentError('compressionType', resolved.compressionType, rule)
  }
  if (resolved.timestampType !== 'CreateTime' && resolved.timestampType !== 'LogAppendTime') {
    const rule = 'must be CreateTime or LogAppendTime'
    throw new InvalidArgumentError('timestampType', resolved.timestampType, rule)
  }
  const horizon = resolved.deleteHorizon
  if (horizon !== null && !(Number.isSafeInteger(horizon) && horizon >= 0)) {
    throw new InvalidArgumentError('deleteHorizon', horizon, 'must be milliseconds since 1970')
  }
  return resolved
}
