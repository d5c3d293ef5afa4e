import { type CompressionType, InvalidArgumentError } from '@varve/record'

/** When an append is acknowledged, and so what its records survive. */
export type Acks = 'none' | 'written' | 'flushed'

export function isAcks(acks: unknown): acks is Acks {
  return acks === 'flushed' || acks === 'written' || acks === 'none'
}

export function invalidAcks(acks: unknown): InvalidArgumentError {
  return new InvalidArgumentError('acks', acks, 'must be none, written or flushed')
}

/** A log's settings. Names and defaults are Kafka's where Kafka has them. */
export interface LogOptions {
  /**
   * The level at which an append is acknowledged unless the call says otherwise: `none` (accepted
   * in memory), `written` (the kernel has it: survives the death of the process), `flushed`
   * (fdatasync has returned: survives power loss).
   * @defaultValue 'flushed'
   */
  readonly acks?: Acks
  /** Size at which the active segment is sealed. @defaultValue 1 GiB */
  readonly segmentBytes?: number
  /** Age, by record timestamps, at which it is sealed. @defaultValue 7 days */
  readonly segmentMs?: number
  /** Upper bound of a random part taken off `segmentMs`, drawn per segment. @defaultValue 0 */
  readonly segmentJitterMs?: number
  /** Largest size of an index file; a full index seals the segment. @defaultValue 10 MiB */
  readonly segmentIndexBytes?: number
  /** Bytes of log between two index entries. @defaultValue 4096 */
  readonly indexIntervalBytes?: number
  /** Flush when this many records are unflushed, whatever their `acks`. @defaultValue never */
  readonly flushMessages?: number
  /**
   * Flush when the oldest unflushed record is this old, whatever its `acks`. @defaultValue never
   */
  readonly flushMs?: number
  /**
   * Where a flush waits for the disk: in the thread `pool`, or on the event `loop`, which stands
   * still meanwhile, so that nothing else of this thread runs. That saves an append that waits
   * alone the way to the pool and back, some 50 µs. @defaultValue 'pool'
   */
  readonly flushOn?: 'pool' | 'loop'
  /** Largest batch accepted, compressed, header included. @defaultValue 1 MiB + 12 */
  readonly maxMessageBytes?: number
  /** Who stamps records: the producer (CreateTime) or the log. @defaultValue 'CreateTime' */
  readonly messageTimestampType?: 'CreateTime' | 'LogAppendTime'
  /** Codec of batches that the log builds itself out of records. @defaultValue 'none' */
  readonly compressionType?: CompressionType
  /** Extend the active `.log` to `segmentBytes` ahead of the data. @defaultValue false */
  readonly preallocate?: boolean
  /** How long a deleted segment's files stay, renamed, for other processes. @defaultValue 60 s */
  readonly fileDeleteDelayMs?: number
  /** When a producer that appends nothing more is forgotten. @defaultValue 24 h */
  readonly producerIdExpirationMs?: number
  /** Stamped on batches as the partition leader epoch. @defaultValue the latest known, else 0 */
  readonly leaderEpoch?: number
  /**
   * Wait this long after the first append of a group for more, so that fewer, larger flushes are
   * made. 0 waits for nothing but the flush in progress. @defaultValue 0
   */
  readonly lingerMs?: number
  /** Appends made together share batches up to about this size. @defaultValue 64 KiB */
  readonly batchBytes?: number
  /** Bytes that may wait to be written; beyond it `whenQueueFull` applies. @defaultValue 8 MiB */
  readonly queueBytesMax?: number
  /** Whether an append to a full queue waits or fails. @defaultValue 'wait' */
  readonly whenQueueFull?: 'wait' | 'refuse'
  /**
   * What opening does when, above the recovery point, valid batches follow an unreadable one: `cut`
   * the log there and report it, or `refuse` to open. @defaultValue 'cut'
   */
  readonly onLostWrites?: 'cut' | 'refuse'
}

/** Every setting of a log, each with a value. */
export type ResolvedLogOptions = Required<Omit<LogOptions, 'leaderEpoch'>> & {
  readonly leaderEpoch: number | null
}

/** Far enough away to mean never, and still exact when added to a time. */
const never = 2 ** 52

/** What logs do where nothing else is said: Kafka’s values. */
export const defaultLogOptions: ResolvedLogOptions = Object.freeze({
  acks: 'flushed',
  segmentBytes: 2 ** 30,
  segmentMs: 7 * 86_400_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 2 ** 20,
  indexIntervalBytes: 4096,
  flushMessages: never,
  flushMs: never,
  flushOn: 'pool',
  maxMessageBytes: 2 ** 20 + 12,
  messageTimestampType: 'CreateTime',
  compressionType: 'none',
  preallocate: false,
  fileDeleteDelayMs: 60_000,
  producerIdExpirationMs: 86_400_000,
  leaderEpoch: null,
  lingerMs: 0,
  batchBytes: 64 * 1024,
  queueBytesMax: 8 * 2 ** 20,
  whenQueueFull: 'wait',
  onLostWrites: 'cut',
})

type Rule =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly values: readonly unknown[] }

const int32Max = 2 ** 31 - 1
const integer = (min: number, max = Number.MAX_SAFE_INTEGER): Rule => ({
  kind: 'integer',
  min,
  max,
})
const choice = (...values: readonly unknown[]): Rule => ({ kind: 'choice', values })

/** Kafka's limits (LogConfig), except that a segment must at least hold a batch header. */
const rules: { readonly [Name in keyof ResolvedLogOptions]: Rule } = {
  acks: choice('none', 'written', 'flushed'),
  segmentBytes: integer(61, int32Max),
  segmentMs: integer(1),
  segmentJitterMs: integer(0),
  segmentIndexBytes: integer(24, int32Max),
  indexIntervalBytes: integer(0, int32Max),
  flushMessages: integer(1),
  flushMs: integer(0),
  flushOn: choice('pool', 'loop'),
  maxMessageBytes: integer(61, int32Max),
  messageTimestampType: choice('CreateTime', 'LogAppendTime'),
  compressionType: choice('none', 'gzip', 'snappy', 'lz4', 'zstd'),
  preallocate: choice(true, false),
  fileDeleteDelayMs: integer(0),
  producerIdExpirationMs: integer(1),
  leaderEpoch: integer(0, int32Max),
  lingerMs: integer(0, 60_000),
  batchBytes: integer(0, int32Max),
  queueBytesMax: integer(1),
  whenQueueFull: choice('wait', 'refuse'),
  onLostWrites: choice('cut', 'refuse'),
}

/** Fills in the defaults and checks every value. Throws InvalidArgumentError. */
export function resolveLogOptions(options: LogOptions = {}): ResolvedLogOptions {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    if (!Object.hasOwn(rules, name)) {
      throw new InvalidArgumentError(name, value, 'there is no such log option')
    }
    checkOption(name, value, rules[name as keyof ResolvedLogOptions])
  }
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  )
  return Object.freeze({ ...defaultLogOptions, ...given })
}

/** The settings of many logs: those that have the same share one object. */
export class SharedLogOptions {
  readonly #known = new Map<string, ResolvedLogOptions>()

  /** As {@link resolveLogOptions}. */
  resolve(options: LogOptions): ResolvedLogOptions {
    const resolved = resolveLogOptions(options)
    const key = JSON.stringify(resolved)
    const known = this.#known.get(key)
    if (known === undefined) this.#known.set(key, resolved)
    return known ?? resolved
  }
}

function checkOption(name: string, value: unknown, rule: Rule): void {
  if (rule.kind === 'choice') {
    if (rule.values.includes(value)) return
    throw new InvalidArgumentError(name, value, `must be one of ${rule.values.join(', ')}`)
  }
  const { min, max } = rule
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return
  throw new InvalidArgumentError(name, value, `must be an integer from ${min} to ${max}`)
}
