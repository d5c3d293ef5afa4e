import { InvalidArgumentError, type Offset } from '@varve/record'

// Every name that the engine gives to a file or a directory, and every one that it recognises.
// Kafka's names (its LogFileUtils, LocalLog and Topic), and two of our own: `.digest`, `progress`.

/** What a file of a segment holds; also its extension. `digest` is ours, the others are Kafka's. */
export type SegmentFileKind = 'log' | 'index' | 'timeindex' | 'txnindex' | 'snapshot' | 'digest'

/**
 * The state of a segment's file, appended to its name.
 *
 * - `.deleted`: waits to be removed.
 * - `.cleaned`: output of a compaction that has not been completed.
 * - `.swap`: complete output that takes the place of older segments.
 * - `.broken`: bytes that a recovery or repair cut off and kept. Ours.
 */
export type SegmentFileSuffix = '' | '.deleted' | '.cleaned' | '.swap' | '.broken'

export const deletedSuffix = '.deleted'
export const cleanedSuffix = '.cleaned'
export const swapSuffix = '.swap'
export const brokenSuffix = '.broken'

/** In a partition directory. */
export const leaderEpochCheckpointFileName = 'leader-epoch-checkpoint'
export const partitionMetadataFileName = 'partition.metadata'
/** In a partition directory, ours: high watermark and recovery point. */
export const progressFileName = 'progress'

/** In a data directory. */
export const recoveryPointCheckpointFileName = 'recovery-point-offset-checkpoint'
export const logStartOffsetCheckpointFileName = 'log-start-offset-checkpoint'
/** Holds the high watermarks. */
export const replicationOffsetCheckpointFileName = 'replication-offset-checkpoint'
export const cleanerOffsetCheckpointFileName = 'cleaner-offset-checkpoint'
export const cleanShutdownFileName = '.kafka_cleanshutdown'
export const lockFileName = '.lock'
export const metaPropertiesFileName = 'meta.properties'

/** Base offsets in file names are padded to so many digits, so that names sort as offsets do. */
const offsetDigits = 20

/** Kafka's limit, chosen so that `<topic>-<partition>` fits a file name of 255 bytes. */
export const topicNameCharactersMax = 249

const partitionMax = 2 ** 31 - 1

export function logFileName(baseOffset: Offset): string {
  return segmentFileName(baseOffset, 'log')
}

export function indexFileName(baseOffset: Offset): string {
  return segmentFileName(baseOffset, 'index')
}

export function timeIndexFileName(baseOffset: Offset): string {
  return segmentFileName(baseOffset, 'timeindex')
}

export function transactionIndexFileName(baseOffset: Offset): string {
  return segmentFileName(baseOffset, 'txnindex')
}

/** `offset` is the first offset that the snapshot does *not* cover. */
export function producerSnapshotFileName(offset: Offset): string {
  return segmentFileName(offset, 'snapshot')
}

export function segmentDigestFileName(baseOffset: Offset): string {
  return segmentFileName(baseOffset, 'digest')
}

/** Name of any file of a segment, in any state. */
export function segmentFileName(
  baseOffset: Offset,
  kind: SegmentFileKind,
  suffix: SegmentFileSuffix = '',
): string {
  return `${paddedOffset(baseOffset)}.${kind}${suffix}`
}

/** `offset` in the 20 digits of file names. */
export function paddedOffset(offset: Offset): string {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new InvalidArgumentError('offset', offset, 'a file name needs an integer of 0 to 2^53-1')
  }
  return String(offset).padStart(offsetDigits, '0')
}

export interface SegmentFileName {
  readonly baseOffset: Offset
  readonly kind: SegmentFileKind
  readonly suffix: SegmentFileSuffix
}

const kinds = ['log', 'index', 'timeindex', 'txnindex', 'snapshot', 'digest'] as const
const suffixes = ['', '.deleted', '.cleaned', '.swap', '.broken'] as const

/** By what follows the base offset. */
const segmentFileEndings = new Map<string, Omit<SegmentFileName, 'baseOffset'>>(
  kinds.flatMap((kind) => suffixes.map((suffix) => [`.${kind}${suffix}`, { kind, suffix }])),
)

/** Takes a segment's file name apart; null for any other name and for offsets beyond 2^53-1. */
export function parseSegmentFileName(name: string): SegmentFileName | null {
  // Not with a pattern: of the hundred thousand names of a large log each match would be garbage.
  const ending = segmentFileEndings.get(name.slice(offsetDigits))
  if (ending === undefined) return null
  let baseOffset = 0
  for (let at = 0; at < offsetDigits; at++) {
    const digit = name.charCodeAt(at) - digitZero
    if (!(digit >= 0 && digit <= 9)) return null
    baseOffset = baseOffset * 10 + digit
  }
  if (!Number.isSafeInteger(baseOffset)) return null
  return { baseOffset, kind: ending.kind, suffix: ending.suffix }
}

const digitZero = 48

/** Why a directory of a partition is there; all but `live` await something and hold no live log. */
export type PartitionDirectoryState = 'live' | 'delete' | 'future' | 'stray'

export interface PartitionDirectoryName {
  readonly topic: string
  readonly partition: number
  readonly state: PartitionDirectoryState
  /** What tells apart several directories of one partition; null for a live one. */
  readonly uniqueId: string | null
}

const activeDigestPattern = /^active-\d{20}\.digest$/

/**
 * Ours: the digest of the active segment as a clean shutdown left it. Not named like a sealed
 * segment's, because somebody else (a broker) may append to the segment next.
 */
export function activeDigestFileName(baseOffset: Offset): string {
  return `active-${paddedOffset(baseOffset)}.digest`
}

export function isActiveDigestFileName(name: string): boolean {
  return activeDigestPattern.test(name)
}

/** `<topic>-<partition>`. Throws InvalidArgumentError for a bad topic name or partition number. */
export function partitionDirectoryName(topic: string, partition: number): string {
  validateTopicName(topic)
  if (!Number.isInteger(partition) || partition < 0 || partition > partitionMax) {
    throw new InvalidArgumentError('partition', partition, 'must be an integer of 0 to 2^31-1')
  }
  return `${topic}-${partition}`
}

/** What file systems allow in a name. */
const fileNameBytesMax = 255

/**
 * What a partition's directory is called from its deletion until it is removed:
 * `<topic>-<partition>.<unique id>-delete`, with the end of a long topic's name left out so that it
 * fits, as Kafka does.
 *
 * @param liveName `<topic>-<partition>`
 */
export function deletedDirectoryName(liveName: string, uniqueId: string): string {
  const split = liveName.lastIndexOf('-')
  const rest = `${liveName.slice(split)}.${uniqueId}-delete`
  return liveName.slice(0, Math.min(split, fileNameBytesMax - rest.length)) + rest
}

const setAsidePattern = /^(.+)\.([^.\s]+)-(delete|future|stray)$/
// Greedy, so the split is at the last '-': topics may contain it.
const livePattern = /^(.+)-(0|[1-9]\d{0,9})$/

/**
 * Takes a partition directory's name apart: `<topic>-<partition>`, or the same with
 * `.<unique id>-delete`, `-future` or `-stray` behind. Null for any other name.
 */
export function parsePartitionDirectoryName(name: string): PartitionDirectoryName | null {
  const setAside = setAsidePattern.exec(name)
  const live = livePattern.exec(setAside?.[1] ?? name)
  const topic = live?.[1] ?? ''
  const partition = Number(live?.[2] ?? -1)
  if (partition < 0 || partition > partitionMax || !isValidTopicName(topic)) return null
  return {
    topic,
    partition,
    state: setAside === null ? 'live' : (setAside[3] as PartitionDirectoryState),
    uniqueId: setAside?.[2] ?? null,
  }
}

/** Whether Kafka accepts it as a topic name: 1 to 249 of [a-zA-Z0-9._-], not '.' or '..'. */
export function isValidTopicName(topic: string): boolean {
  return topicNamePattern.test(topic) && topic !== '.' && topic !== '..'
}

const topicNamePattern = new RegExp(`^[a-zA-Z0-9._-]{1,${topicNameCharactersMax}}$`)

/** Throws InvalidArgumentError where {@link isValidTopicName} is false. */
export function validateTopicName(topic: string): void {
  if (isValidTopicName(topic)) return
  throw new InvalidArgumentError(
    'topic',
    topic,
    `must be 1 to ${topicNameCharactersMax} ASCII letters, digits, '.', '_' and '-', not '.' or '..'`,
  )
}
