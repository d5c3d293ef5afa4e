import { type Clock, type FileSystem, type Log, nodeFileSystem, systemClock } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import type { CleaningPolicy } from './policy/cleaning-policy.ts'
import type { RetentionHold } from './retention/retention-hold.ts'

export interface CleanerOptions {
  /** How a log is to be kept. Asked at every look, so that it may change. @defaultValue Kafka's */
  readonly policy?: (log: Log) => CleaningPolicy
  /** The consumer groups for which retention of a log waits. @defaultValue none */
  readonly holds?: (log: Log) => readonly RetentionHold[]
  /**
   * Worker threads that compact. 0 compacts on the event loop, as a file system other than the real
   * one needs it. @defaultValue 1
   */
  readonly workers?: number
  /** Memory for offset maps, of all workers together, in bytes. @defaultValue 128 MiB */
  readonly mapBytes?: number
  /** What compaction may read and write a second, together; 0 no limit. @defaultValue 0 */
  readonly ioBytesPerSecond?: number
  /**
   * How long a worker rests after every half millisecond of work, in ms, while the event loop of
   * this thread has work: longer is kinder to appends and reads, and makes compaction slower.
   * Logs that get dirty faster than they are cleaned have shorter rests, down to none. Up to 100;
   * 0 never rests. @defaultValue 12
   */
  readonly restMs?: number
  /** How often retention looks at all logs, in ms. @defaultValue 300000 */
  readonly retentionIntervalMs?: number
  /** How often it is looked which logs are due for compaction, in ms. @defaultValue 15000 */
  readonly compactionIntervalMs?: number
  /** How long a log that failed is left alone; doubles with every failure. @defaultValue 60000 */
  readonly retryBackoffMs?: number
  /** @defaultValue 3600000 */
  readonly retryBackoffMsMax?: number
  /** That of the logs. @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue the system's clock */
  readonly clock?: Clock
}

const mapBytesDefault = 128 * 2 ** 20

/** A worker that rests hears nothing, and closing waits for it. */
const restMsMax = 100

/** Fills in the defaults and checks. Throws InvalidArgumentError. */
export function resolveCleanerOptions(options: CleanerOptions): Required<CleanerOptions> {
  const { fs = nodeFileSystem } = options
  const resolved: Required<CleanerOptions> = {
    policy: options.policy ?? (() => ({})),
    holds: options.holds ?? (() => []),
    workers: options.workers ?? (fs === nodeFileSystem ? 1 : 0),
    mapBytes: options.mapBytes ?? mapBytesDefault,
    ioBytesPerSecond: options.ioBytesPerSecond ?? 0,
    restMs: options.restMs ?? 12,
    retentionIntervalMs: options.retentionIntervalMs ?? 300_000,
    compactionIntervalMs: options.compactionIntervalMs ?? 15_000,
    retryBackoffMs: options.retryBackoffMs ?? 60_000,
    retryBackoffMsMax: options.retryBackoffMsMax ?? 3_600_000,
    fs,
    clock: options.clock ?? systemClock,
  }
  const least = {
    workers: 0,
    mapBytes: 1024,
    ioBytesPerSecond: 0,
    restMs: 0,
    retentionIntervalMs: 1,
    compactionIntervalMs: 1,
    retryBackoffMs: 1,
    retryBackoffMsMax: 1,
  } as const
  for (const [name, min] of Object.entries(least)) {
    const value = resolved[name as keyof typeof least]
    if (Number.isSafeInteger(value) && value >= min) continue
    throw new InvalidArgumentError(name, value, `must be an integer, at least ${min}`)
  }
  if (resolved.restMs > restMsMax) {
    throw new InvalidArgumentError('restMs', resolved.restMs, `must be at most ${restMsMax}`)
  }
  if (resolved.workers > 0 && fs !== nodeFileSystem) {
    throw new InvalidArgumentError('workers', resolved.workers, 'workers use the real file system')
  }
  return resolved
}
