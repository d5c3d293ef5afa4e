import assert from 'node:assert/strict'
import type { AppendBatchOptions, AppendResult, Clock, Log } from '@varve/log'
import {
  type Batch,
  controlTypeOf,
  InvalidArgumentError,
  type Offset,
  type RecordBatch,
  type Timestamp,
} from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import { tombstonesOf } from './consumer/consumer-group-departure.ts'
import {
  encodeConsumerGroupRecords,
  type GroupRecordInput,
  sizeOfInputs,
} from './consumer/consumer-group-encoding.ts'
import type { ConsumerGroupRecord } from './consumer/consumer-group-record.ts'
import type { ConsumerGroupState } from './consumer/consumer-group-state.ts'
import {
  encodeGroupMetadataKey,
  encodeGroupMetadataValue,
  type GroupMetadata,
} from './group-metadata.ts'
import { GroupOffsets, type StoredOffset } from './group-offsets.ts'
import { type GroupRecord, readGroupRecord } from './group-record.ts'
import {
  encodeOffsetCommitKey,
  encodeOffsetCommitValue,
  type OffsetCommitValue,
} from './offset-commit.ts'

export interface CommitOptions {
  /** Milliseconds since the epoch. */
  readonly timestamp: Timestamp
  /** What the commit survives; durable unless said otherwise. @defaultValue 'flushed' */
  readonly acks?: 'written' | 'flushed'
}

/** What replaying reads: a log that is open, or one of another process that is only read. */
type ReadableOffsetLog = Pick<Log, 'logStartOffset' | 'highWatermark' | 'read'>

/** A store that is only read: it commits nothing. */
export type OffsetView = Pick<
  OffsetStore,
  'groups' | 'skipped' | 'metadata' | 'consumerGroup' | 'committed' | 'offsets' | 'refresh'
>

/** Why records were skipped is counted for so many reasons apart. */
const skippedReasonsMax = 100
const readBytes = 256 * 1024
/** A transaction that commits offsets is about to end: its work is done. */
const unstableRetryMs = 10

/**
 * The groups in one partition of `__consumer_offsets`: the latest committed offset of each topic
 * and partition, and the group's metadata. The log is the truth: what stands here is what replaying
 * it gives, always up to some offset of it, and a commit is in both when its promise resolves.
 *
 * Commits of a transaction are appended by a producer's transactional batches, and count from the
 * commit marker on (`appendBatch`). Commits that arrive together share a batch and a flush.
 */
export class OffsetStore {
  #log: ReadableOffsetLog
  /** The log as it is open now, after a failure perhaps another one; null where it is only read. */
  readonly #openLog: (() => Log) | null
  readonly #groups = new Map<string, GroupOffsets>()
  readonly #skipped = new Map<string, number>()
  /** How many commits of each group are on their way to the log. */
  readonly #committing = new Map<string, number>()
  /** Everything before it stands here. */
  #nextOffset: Offset
  #catchingUp: Promise<void> | null = null

  private constructor(log: ReadableOffsetLog, openLog: (() => Log) | null) {
    this.#log = log
    this.#openLog = openLog
    this.#nextOffset = log.logStartOffset
  }

  /**
   * Replays the log. Rejects with CorruptLogError where it is damaged.
   *
   * @param openLog gives the log as it is open later on; throws while it is not. @defaultValue the
   *   same one
   */
  static async load(log: Log, openLog: () => Log = () => log): Promise<OffsetStore> {
    const store = new OffsetStore(log, openLog)
    await store.refresh()
    return store
  }

  /** Replays a log that somebody else may be writing. Rejects as `load` does. */
  static async view(log: ReadableOffsetLog): Promise<OffsetView> {
    const store = new OffsetStore(log, null)
    await store.refresh()
    return store
  }

  /** Names of the groups that have offsets, metadata, or offsets in an open transaction. */
  get groups(): readonly string[] {
    return [...this.#groups.keys()]
  }

  has(group: string): boolean {
    return this.#groups.has(group)
  }

  /** Why records of the log could not be used, and how many there are of each kind. */
  get skipped(): ReadonlyMap<string, number> {
    return this.#skipped
  }

  metadata(group: string): GroupMetadata | null {
    return this.#groups.get(group)?.metadata ?? null
  }

  /** A group of the consumer protocol (KIP-848); null where it is none. Changes as it is noted. */
  consumerGroup(group: string): ConsumerGroupState | null {
    return this.#groups.get(group)?.consumers ?? null
  }

  committed(group: string, topic: string, partition: number): StoredOffset | null {
    return this.#groups.get(group)?.committed(topic, partition) ?? null
  }

  offsets(group: string): StoredOffset[] {
    return this.#groups.get(group)?.all() ?? []
  }

  /** Of which a group has committed something, or has by an open transaction: see GroupOffsets. */
  partitions(group: string, topic: string | null = null): TopicPartition[] {
    return this.#groups.get(group)?.partitions(topic) ?? []
  }

  /** Whether a commit of the group is on its way to the log, and does not stand here yet. */
  isCommitting(group: string): boolean {
    return this.#committing.has(group)
  }

  /** Whether an open transaction may yet change the offset (Kafka: UNSTABLE_OFFSET_COMMIT). */
  isPending(group: string, topic: string, partition: number): boolean {
    return this.#groups.get(group)?.isPending(topic, partition) ?? false
  }

  /** Whether an open transaction may yet commit anything for the group. */
  hasPending(group: string): boolean {
    return this.#groups.get(group)?.hasPending ?? false
  }

  /** Resolves when no open transaction may change these partitions' offsets any more. */
  async whenStable(
    group: string,
    partitions: readonly TopicPartition[],
    clock: Clock,
  ): Promise<void> {
    const isUnstable = ({ topic, partition }: TopicPartition): boolean =>
      this.isPending(group, topic, partition)
    await this.refresh()
    while (partitions.some(isUnstable)) {
      await new Promise<void>((resolve) => {
        clock.setTimer(unstableRetryMs, resolve, { keepsAlive: true })
      })
      await this.refresh()
    }
  }

  /**
   * Commits offsets of a group, all or none of them. Whether the group's state allows it is for its
   * coordinator to say.
   */
  async commit(
    group: string,
    offsets: readonly CommittedOffset[],
    options: CommitOptions & Partial<Pick<OffsetCommitValue, 'expireTimestamp'>>,
  ): Promise<void> {
    if (offsets.length === 0) return
    const { timestamp, expireTimestamp = -1 } = options
    const records = offsets.map((given): GroupRecordInput => {
      const { topic, partition, offset, leaderEpoch = -1, metadata = '' } = given
      checkCommit(given)
      const value = {
        offset,
        leaderEpoch,
        metadata,
        commitTimestamp: timestamp,
        expireTimestamp,
      }
      return {
        key: encodeOffsetCommitKey({ group, topic, partition }),
        value: encodeOffsetCommitValue(value),
        timestamp,
      }
    })
    this.#committing.set(group, (this.#committing.get(group) ?? 0) + 1)
    try {
      await this.#append(records, options.acks)
    } finally {
      const left = (this.#committing.get(group) ?? 1) - 1
      if (left > 0) this.#committing.set(group, left)
      else this.#committing.delete(group)
    }
  }

  /** Forgets committed offsets, with tombstones. */
  async deleteOffsets(
    group: string,
    partitions: readonly TopicPartition[],
    options: CommitOptions,
  ): Promise<void> {
    if (partitions.length === 0) return
    const { timestamp, acks } = options
    const records = partitions.map(({ topic, partition }) => ({
      key: encodeOffsetCommitKey({ group, topic, partition }),
      value: null,
      timestamp,
    }))
    await this.#append(records, acks)
  }

  /** Notes a group as it is after a rebalance; null forgets it, with a tombstone. */
  async saveMetadata(
    group: string,
    metadata: GroupMetadata | null,
    options: CommitOptions,
  ): Promise<void> {
    const value = metadata === null ? null : encodeGroupMetadataValue(metadata)
    const record = { key: encodeGroupMetadataKey(group), value, timestamp: options.timestamp }
    await this.#append([record], options.acks)
  }

  /**
   * Notes what has become of a group of the consumer protocol, all of it or nothing. If it was one
   * of the classic protocol, that is forgotten with it.
   *
   * @param isUpgrade whether it was one just now, noted or not
   */
  async saveConsumers(
    group: string,
    noted: readonly ConsumerGroupRecord[],
    { timestamp, acks }: CommitOptions,
    isUpgrade: boolean = false,
  ): Promise<void> {
    const records = encodeConsumerGroupRecords(noted, timestamp)
    const isClassic = isUpgrade || this.metadata(group) !== null
    const classic = { key: encodeGroupMetadataKey(group), value: null, timestamp }
    await this.#append(isClassic ? [classic, ...records] : records, acks)
  }

  /** Whether what has become of a group is not too much to be noted at once. */
  hasRoomFor(noted: readonly ConsumerGroupRecord[]): boolean {
    const { maxMessageBytes, segmentBytes } = this.#appendable.options
    return (
      sizeOfInputs(encodeConsumerGroupRecords(noted, 0)) <= Math.min(maxMessageBytes, segmentBytes)
    )
  }

  /** Notes that a group of the consumer protocol is one of the classic protocol now, likewise. */
  async saveDowngraded(
    group: string,
    noted: readonly ConsumerGroupRecord[],
    metadata: GroupMetadata,
    { timestamp, acks }: CommitOptions,
  ): Promise<void> {
    const value = encodeGroupMetadataValue(metadata)
    const classic = { key: encodeGroupMetadataKey(group), value, timestamp }
    await this.#append([...encodeConsumerGroupRecords(noted, timestamp), classic], acks)
  }

  /** Forgets who was noted to be in a group, of either protocol. */
  async forgetMembers(group: string, options: CommitOptions): Promise<void> {
    if (this.metadata(group) !== null) await this.saveMetadata(group, null, options)
    const consumers = this.consumerGroup(group)
    if (consumers === null) return
    await this.saveConsumers(group, tombstonesOf(consumers, group), options)
  }

  /**
   * Appends a batch to the log of `__consumer_offsets` and takes note of it: the transactional
   * batches of a producer that commits offsets, and the markers that end its transactions. Rejects
   * as `Log.appendBatch` does.
   */
  async appendBatch(batch: RecordBatch, options: AppendBatchOptions = {}): Promise<AppendResult> {
    const result = await this.#appendable.appendBatch(batch, options)
    await this.refresh()
    return result
  }

  /** Takes note of what others appended to the log, as far as it is visible. */
  async refresh(): Promise<void> {
    this.#look()
    await this.#catchUpTo(this.#log.highWatermark)
  }

  get #appendable(): Log {
    const log = this.#look()
    assert(log !== null, 'a store that is only read was written to')
    return log
  }

  /** A log that was opened again is replayed anew: what was not flushed it may have lost. */
  #look(): Log | null {
    const log = this.#openLog?.() ?? null
    if (log !== null && log !== this.#log) {
      this.#log = log
      this.#groups.clear()
      this.#nextOffset = log.logStartOffset
      this.#catchingUp = null
    }
    return log
  }

  async #append(records: readonly GroupRecordInput[], acks: 'written' | 'flushed' = 'flushed') {
    const { baseOffset, lastOffset } = await this.#appendable.append(records, { acks })
    if (baseOffset === this.#nextOffset && this.#catchingUp === null) {
      for (const { key, value } of records) {
        this.#replay(this.#nextOffset, key, value, null)
        this.#nextOffset += 1
      }
      return
    }
    await this.#catchUpTo(lastOffset + 1)
  }

  async #catchUpTo(offset: Offset): Promise<void> {
    const log = this.#log
    while (this.#nextOffset < offset && this.#log === log) {
      const reading = this.#catchingUp ?? this.#readOn(log)
      this.#catchingUp = reading
      try {
        await reading
      } finally {
        if (this.#catchingUp === reading) this.#catchingUp = null
      }
    }
  }

  async #readOn(log: ReadableOffsetLog): Promise<void> {
    while (this.#nextOffset < log.highWatermark) {
      const from = Math.max(this.#nextOffset, log.logStartOffset)
      const { batches, nextOffset } = await log.read({ from, maxBytes: readBytes })
      if (this.#log !== log) return
      for (const batch of batches) this.#replayBatch(batch)
      if (nextOffset === from) break
      this.#nextOffset = nextOffset
    }
  }

  #replayBatch(batch: Batch): void {
    for (const record of batch.records()) {
      if (record.offset < this.#nextOffset) continue
      if (batch.isControl) {
        const type = controlTypeOf(record)
        if (type === 'commit' || type === 'abort') this.#endTransaction(batch.producerId, type)
      } else {
        const producerId = batch.isTransactional ? batch.producerId : null
        this.#replay(record.offset, record.key, record.value, producerId)
      }
    }
  }

  #endTransaction(producerId: number, type: 'commit' | 'abort'): void {
    for (const group of this.#groups.values()) {
      group.endTransaction(producerId, type === 'commit')
      this.#drop(group)
    }
  }

  /** What one record says. Views of a batch are not kept: decoding copies strings and numbers. */
  #replay(
    recordOffset: Offset,
    key: Buffer | null,
    value: Buffer | null,
    producerId: number | null,
  ): void {
    const record = readGroupRecord({ key, value })
    if (record.kind === 'skipped') {
      this.#skip(record.reason)
      return
    }
    const group = this.#group(groupOf(record))
    if (record.kind === 'consumerGroup') {
      group.applyConsumers(record.record)
    } else if (record.kind === 'group') {
      group.metadata = record.value === null ? null : ownMemory(record.value)
    } else if (record.value === null) {
      group.remove(record.key)
    } else {
      const { topic, partition } = record.key
      const commit = { topic, partition, ...record.value, recordOffset }
      if (producerId === null) group.set(commit)
      else group.setPending(producerId, commit)
    }
    this.#drop(group)
  }

  #group(name: string): GroupOffsets {
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = new GroupOffsets(name)
      this.#groups.set(name, group)
    }
    return group
  }

  #drop(group: GroupOffsets): void {
    if (group.isEmpty) this.#groups.delete(group.name)
  }

  #skip(reason: string): void {
    const isNew = !this.#skipped.has(reason)
    const kept = isNew && this.#skipped.size >= skippedReasonsMax ? 'other reasons' : reason
    this.#skipped.set(kept, (this.#skipped.get(kept) ?? 0) + 1)
  }
}

function groupOf(record: Exclude<GroupRecord, { kind: 'skipped' }>): string {
  if (record.kind === 'offsetCommit') return record.key.group
  return record.kind === 'group' ? record.group : record.record.group
}

function checkCommit({ topic, partition, offset }: CommittedOffset): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new InvalidArgumentError('offset', offset, 'an offset is a non-negative integer')
  }
  if (!Number.isSafeInteger(partition) || partition < 0 || partition >= 2 ** 31) {
    throw new InvalidArgumentError('partition', partition, 'must be a non-negative int32')
  }
  if (topic === '') throw new InvalidArgumentError('topic', topic, 'must have a name')
}

/** Subscriptions and assignments were views of a whole batch, which they must not keep alive. */
function ownMemory(metadata: GroupMetadata): GroupMetadata {
  const members = metadata.members.map((member) => ({
    ...member,
    subscription: Buffer.from(member.subscription),
    assignment: Buffer.from(member.assignment),
  }))
  return { ...metadata, members }
}
