import type { Timestamp } from '@varve/record'
import { SchemaReader } from '../schema-reader.ts'
import { SchemaWriter } from '../schema-writer.ts'
import type { TopicIdPartitions } from './assigned-partitions.ts'
import type { ClassicMembership, ReconciliationState } from './consumer-group-member.ts'
import {
  type ConsumerGroupRecord,
  consumerGroupKeyVersions,
  type NotedAssignment,
  type NotedMember,
  type NotedPartitions,
} from './consumer-group-record.ts'

// Kafka's records of groups of the consumer protocol, as they stand in `__consumer_offsets`. Keys
// are of no flexible version, values of version 0, which is flexible.

const inflexible = Infinity
const valueVersion = 0
const flexible = 0
/** Kafka's MemberState. */
const stateNumbers = { stable: 0, unrevoked: 1, unreleased: 2, unknown: 127 } as const
export const consumerGroupValueVersions = {
  subject: 'consumer group value',
  latest: 0,
  firstFlexible: 0,
} as const
const hashTag = 0
const timestampTag = 0
const epochsTag = 0
const classicTag = 0
/** Before a structure that might be null. */
const present = 1
const versionBytes = 2
const emptyTag = (bytes: Uint8Array): ReadonlyMap<number, Uint8Array> => new Map([[0, bytes]])

/** A record of `__consumer_offsets` on its way there. */
export interface GroupRecordInput {
  readonly key: Buffer
  readonly value: Buffer | null
  readonly timestamp: Timestamp
}

/** Of a batch its header; of each record lengths and the like, at most. */
const batchHeaderBytes = 61
const recordOverheadBytes = 24

export function encodeConsumerGroupRecords(
  noted: readonly ConsumerGroupRecord[],
  timestamp: Timestamp,
): GroupRecordInput[] {
  return noted.map((record) => {
    const key = encodeConsumerGroupKey(record)
    return { key, value: encodeConsumerGroupValue(record), timestamp }
  })
}

/** Bytes that a batch of these takes, at most. */
export function sizeOfInputs(records: readonly GroupRecordInput[]): number {
  return records.reduce((sum, { key, value }) => {
    return sum + key.length + (value?.length ?? 0) + recordOverheadBytes
  }, batchHeaderBytes)
}

export function encodeConsumerGroupKey(record: ConsumerGroupRecord): Buffer {
  const writer = new SchemaWriter(consumerGroupKeyVersions[record.kind], inflexible)
  writer.string(record.group)
  if ('memberId' in record) writer.string(record.memberId)
  if ('expression' in record) writer.string(record.expression)
  return writer.finish()
}

/** Null for a tombstone. */
export function encodeConsumerGroupValue(record: ConsumerGroupRecord): Buffer | null {
  if (record.value === null) return null
  const writer = new SchemaWriter(valueVersion, flexible)
  switch (record.kind) {
    case 'epoch':
      writer.int32(record.value.epoch)
      writeTagged64(writer, record.value.metadataHash)
      break
    case 'topics':
      writer.array([], () => undefined).tags()
      break
    case 'member':
      writeMember(writer, record.value)
      break
    case 'targetEpoch':
      writer.int32(record.value.epoch)
      writeTagged64(writer, BigInt(record.value.timestamp))
      break
    case 'target':
      writer.array(record.value, (each) => writePartitions(writer, each).tags()).tags()
      break
    case 'current':
      writeCurrent(writer, record.value)
      break
    case 'expression': {
      const { topics, version, timestamp } = record.value
      writer.array(topics, (topic) => writer.string(topic))
      writer.int64(version).int64(timestamp).tags()
      break
    }
  }
  return writer.finish()
}

/** A record of such a group; null for keys of other kinds. Throws CorruptGroupRecordError. */
export function decodeConsumerGroupRecord(
  key: Buffer,
  value: Buffer | null,
): ConsumerGroupRecord | null {
  const kind = kindsByKey.get(key.readInt16BE(0))
  if (kind === undefined) return null
  const keys = new SchemaReader(key, keyVersions)
  const group = keys.string()
  const values = value === null ? null : new SchemaReader(value, consumerGroupValueVersions)
  const of = <T>(read: (reader: SchemaReader) => T): T | null => {
    return values === null ? null : read(values)
  }
  switch (kind) {
    case 'epoch':
      return { kind, group, value: of(readEpoch) }
    case 'topics':
      return { kind, group, value: of(() => 'noted' as const) }
    case 'member':
      return { kind, group, memberId: keys.string(), value: of(readMember) }
    case 'targetEpoch':
      return { kind, group, value: of(readTargetEpoch) }
    case 'target':
      return { kind, group, memberId: keys.string(), value: of(readTarget) }
    case 'current':
      return { kind, group, memberId: keys.string(), value: of(readCurrent) }
    case 'expression':
      return { kind, group, expression: keys.string(), value: of(readExpression) }
  }
}

const keyVersions = { subject: 'consumer group key', latest: 16, firstFlexible: Infinity } as const
const kindsByKey = new Map(
  Object.entries(consumerGroupKeyVersions).map(([kind, version]) => {
    return [version, kind as keyof typeof consumerGroupKeyVersions]
  }),
)

function writeTagged64(writer: SchemaWriter, value: bigint): void {
  if (value === 0n) {
    writer.tags()
    return
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  writer.tags(emptyTag(bytes))
}

function writeMember(writer: SchemaWriter, member: NotedMember): void {
  writer.string(member.instanceId).string(member.rackId)
  writer.string(member.clientId).string(member.clientHost)
  writer.array(member.topicNames, (name) => writer.string(name)).string(member.topicRegex)
  writer.int32(member.rebalanceTimeoutMs).string(member.serverAssignor)
  const { classic } = member
  if (classic === null) writer.tags()
  else writer.tags(new Map([[classicTag, encodeClassic(classic)]]))
}

function encodeClassic({ sessionTimeoutMs, protocols }: ClassicMembership): Buffer {
  const writer = new SchemaWriter(valueVersion, flexible)
  writer.int8(present).int32(sessionTimeoutMs)
  writer.array(protocols, ({ name, metadata }) => writer.string(name).bytes(metadata).tags())
  // It is a part of a value, which has the version.
  return writer.tags().finish().subarray(versionBytes)
}

function writePartitions(writer: SchemaWriter, { topicId, partitions }: TopicIdPartitions) {
  return writer.uuid(topicId).array(partitions, (partition) => writer.int32(partition))
}

function writeCurrent(writer: SchemaWriter, noted: NotedAssignment): void {
  const { memberEpoch, previousMemberEpoch, state } = noted
  writer.int32(memberEpoch).int32(previousMemberEpoch).int8(stateNumbers[state])
  for (const partitions of [noted.assigned, noted.revoking]) {
    writer.array(partitions, (each) => {
      writePartitions(writer, each)
      const epochs = Buffer.alloc(4 * (each.epochs?.length ?? 0))
      for (const [index, epoch] of (each.epochs ?? []).entries()) {
        epochs.writeInt32BE(epoch, 4 * index)
      }
      if (each.epochs === null) writer.tags()
      else writer.tags(emptyTag(Buffer.concat([compactLength(each.epochs.length), epochs])))
    })
  }
  writer.tags()
}

/** The length of an array in a flexible version. */
function compactLength(count: number): Buffer {
  const bytes: number[] = []
  let left = count + 1
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left & 0x7f) | 0x80)
  return Buffer.from([...bytes, left])
}

function readEpoch(reader: SchemaReader): {
  readonly epoch: number
  readonly metadataHash: bigint
} {
  const epoch = reader.int32()
  let metadataHash = 0n
  reader.tags({
    [hashTag]: () => {
      metadataHash = reader.bits64()
    },
  })
  return { epoch, metadataHash }
}

function readMember(reader: SchemaReader): NotedMember {
  const instanceId = reader.nullableString()
  const rackId = reader.nullableString()
  const clientId = reader.string()
  const clientHost = reader.string()
  const topicNames = [...new Set(reader.array(() => reader.string()))].sort()
  const topicRegex = reader.nullableString() ?? ''
  const rebalanceTimeoutMs = reader.int32()
  const serverAssignor = reader.nullableString()
  let classic: ClassicMembership | null = null
  reader.tags({
    [classicTag]: () => {
      classic = readClassic(reader)
    },
  })
  return {
    ...{ instanceId, rackId, clientId, clientHost, topicNames, topicRegex },
    ...{ rebalanceTimeoutMs, serverAssignor, classic },
  }
}

function readClassic(reader: SchemaReader): ClassicMembership | null {
  if (reader.int8() !== present) return null
  const sessionTimeoutMs = reader.int32()
  const protocols = reader.array(() => {
    const name = reader.string()
    // A view of a whole batch, which must not be kept alive.
    const metadata = Buffer.from(reader.bytes())
    reader.tags()
    return { name, metadata }
  })
  reader.tags()
  return { sessionTimeoutMs, protocols }
}

function readTargetEpoch(reader: SchemaReader): {
  readonly epoch: number
  readonly timestamp: number
} {
  const epoch = reader.int32()
  let timestamp = 0
  reader.tags({
    [timestampTag]: () => {
      timestamp = reader.int64()
    },
  })
  return { epoch, timestamp }
}

function readTarget(reader: SchemaReader): TopicIdPartitions[] {
  const target = reader.array(() => {
    const topicId = reader.uuid()
    const partitions = reader.array(() => reader.int32())
    reader.tags()
    return { topicId, partitions }
  })
  reader.tags()
  return target
}

function readCurrent(reader: SchemaReader): NotedAssignment {
  const memberEpoch = reader.int32()
  const previousMemberEpoch = reader.int32()
  const number = reader.int8()
  const states = Object.entries(stateNumbers) as [ReconciliationState, number][]
  const state = states.find(([, each]) => each === number)?.[0] ?? 'unknown'
  const read = (): NotedPartitions => {
    const topicId = reader.uuid()
    const partitions = reader.array(() => reader.int32())
    let epochs: number[] | null = null
    reader.tags({
      [epochsTag]: () => {
        epochs = reader.array(() => reader.int32())
      },
    })
    return { topicId, partitions, epochs }
  }
  const assigned = reader.array(read)
  const revoking = reader.array(read)
  reader.tags()
  return { memberEpoch, previousMemberEpoch, state, assigned, revoking }
}

function readExpression(reader: SchemaReader): {
  readonly topics: readonly string[]
  readonly version: number
  readonly timestamp: number
} {
  const topics = reader.array(() => reader.string())
  const version = reader.int64()
  const timestamp = reader.int64()
  reader.tags()
  return { topics, version, timestamp }
}
