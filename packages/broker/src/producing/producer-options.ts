import type { Acks } from '@varve/log'
import { type CompressionType, InvalidArgumentError } from '@varve/record'
import type { Serializer } from '../base/serializers.ts'
import { defaultPartitioner, type Partitioner } from '../partitioning/partitioner.ts'

/** How a producer makes batches and when they count as sent. */
export interface SendingOptions {
  /**
   * When a send is acknowledged: `none` (accepted in memory), `written` (survives the death of the
   * process), `flushed` (survives power loss). In a transaction what counts is the commit, which is
   * always durable.
   * @defaultValue 'flushed'
   */
  readonly acks?: Acks
  /** Codec of its batches, where the topic does not have one. @defaultValue 'none' */
  readonly compression?: CompressionType
  /**
   * Wait so long, in ms, for more records before a batch that is not full is sent. 0 waits for
   * nothing but the batch in flight. @defaultValue 0
   */
  readonly lingerMs?: number
  /** A batch is sent when it has about so many bytes, uncompressed. @defaultValue 64 KiB */
  readonly batchBytes?: number
  /**
   * Bytes that may be on their way; what is sent beyond waits for room.
   * @defaultValue 32 MiB
   */
  readonly bufferBytes?: number
  /**
   * When a partition cannot take a batch because its storage has failed or it is being reopened:
   * how long, in ms, to try again before the send rejects. The log tells what it has already, so a
   * batch that had arrived is not appended twice. @defaultValue 0, reject at once
   */
  readonly deliveryTimeoutMs?: number
  /** Chooses partitions. @defaultValue Kafka's: by key, sticky without one */
  readonly partitioner?: Partitioner
}

/** How a producer sends, and as whom. */
export interface ProducerOptions<Key, Value> extends SendingOptions {
  /**
   * Number the batches, so that one that is sent again is appended once.
   * @defaultValue true
   */
  readonly idempotent?: boolean
  /**
   * A name that stays the same over restarts. The producer then has the same producer id each time,
   * with a higher epoch; a producer of the same name that was made before can send no more
   * (ProducerFencedError); and `sourceOffset` can be used. Needs `idempotent`. A name must not be a
   * transactional id as well.
   * @defaultValue none
   */
  readonly name?: string
  /** Of keys. @defaultValue strings, Uint8Arrays and null as they are */
  readonly keySerializer?: Serializer<Key>
  /** Of values. @defaultValue strings, Uint8Arrays and null as they are */
  readonly valueSerializer?: Serializer<Value>
}

/** Every option of sending, each with a value. */
export type ResolvedSendingOptions = Required<SendingOptions>

const integer = (name: string, value: unknown, min: number, max: number): void => {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return
  throw new InvalidArgumentError(name, value, `must be an integer from ${min} to ${max}`)
}
const choice = (name: string, value: unknown, values: readonly unknown[]): void => {
  if (values.includes(value)) return
  throw new InvalidArgumentError(name, value, `must be one of ${values.join(', ')}`)
}

/** Fills in the defaults. Throws InvalidArgumentError. */
export function resolveSendingOptions(options: SendingOptions): ResolvedSendingOptions {
  const resolved: ResolvedSendingOptions = {
    acks: options.acks ?? 'flushed',
    compression: options.compression ?? 'none',
    lingerMs: options.lingerMs ?? 0,
    batchBytes: options.batchBytes ?? 64 * 1024,
    bufferBytes: options.bufferBytes ?? 32 * 2 ** 20,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 0,
    partitioner: options.partitioner ?? defaultPartitioner,
  }
  const int32Max = 2 ** 31 - 1
  choice('acks', resolved.acks, ['none', 'written', 'flushed'])
  choice('compression', resolved.compression, ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  integer('lingerMs', resolved.lingerMs, 0, 60_000)
  integer('batchBytes', resolved.batchBytes, 0, int32Max)
  integer('bufferBytes', resolved.bufferBytes, 1, Number.MAX_SAFE_INTEGER)
  integer('deliveryTimeoutMs', resolved.deliveryTimeoutMs, 0, int32Max)
  if (typeof resolved.partitioner !== 'function') {
    throw new InvalidArgumentError('partitioner', resolved.partitioner, 'must be a function')
  }
  return resolved
}

/** Throws InvalidArgumentError for a name that no producer can have. */
export function checkProducerName(options: {
  readonly name?: unknown
  readonly idempotent?: boolean
}): void {
  const { name, idempotent = true } = options
  if (name === undefined || (typeof name === 'string' && name !== '' && idempotent)) return
  const rule = 'must be a string that is not empty, of an idempotent producer'
  throw new InvalidArgumentError('name', name, rule)
}
