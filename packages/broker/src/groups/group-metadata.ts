import type { Timestamp } from '@varve/record'
import { SchemaReader } from './schema-reader.ts'
import { SchemaWriter } from './schema-writer.ts'

/** A member of a group as it stands in `__consumer_offsets`. */
export interface MemberMetadata {
  readonly memberId: string
  /** The name that a static member keeps over restarts (KIP-345); null for a dynamic one. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** How long the others wait for it to come back in a rebalance. In version 0 the session's. */
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** A consumer protocol subscription, to the group opaque. */
  readonly subscription: Buffer
  /** A consumer protocol assignment, to the group opaque. */
  readonly assignment: Buffer
}

/**
 * A group between two rebalances: Kafka's GroupMetadataValue.
 *
 *     key, version 2:   int16 version | string group
 *     value:   int16 version | string protocolType | int32 generation | string? protocol
 *              | string? leader | int64 currentStateTimestamp (2+)
 *              | array of { string memberId | string? groupInstanceId (3+) | string clientId
 *                | string clientHost | int32 rebalanceTimeout (1+) | int32 sessionTimeout
 *                | bytes subscription | bytes assignment | tags (4+) } | tags (4+)
 */
export interface GroupMetadata {
  /** `consumer` for groups of consumers; empty where only offsets were ever committed. */
  readonly protocolType: string
  readonly generation: number
  /** The assignor; null in an empty group. */
  readonly protocol: string | null
  readonly leader: string | null
  /** When the group came to be as it is; -1 where it is not known. */
  readonly currentStateTimestamp: Timestamp
  readonly members: readonly MemberMetadata[]
}

/** What Kafka writes since 2.3. */
const valueVersion = 3

export const groupMetadataKeyVersion = 2

export const groupMetadataValueVersions = {
  subject: 'group metadata value',
  latest: 4,
  firstFlexible: 4,
} as const

const keyVersions = { subject: 'group metadata key', latest: 2, firstFlexible: Infinity } as const

export function encodeGroupMetadataKey(group: string): Buffer {
  return new SchemaWriter(groupMetadataKeyVersion, keyVersions.firstFlexible).string(group).finish()
}

/** Throws CorruptGroupRecordError. */
export function decodeGroupMetadataKey(bytes: Buffer): string {
  return new SchemaReader(bytes, keyVersions).string()
}

export function encodeGroupMetadataValue(
  value: GroupMetadata,
  version: number = valueVersion,
): Buffer {
  const writer = new SchemaWriter(version, groupMetadataValueVersions.firstFlexible)
    .string(value.protocolType)
    .int32(value.generation)
    .string(value.protocol)
    .string(value.leader)
  if (version >= 2) writer.int64(value.currentStateTimestamp)
  writer.array(value.members, (member) => {
    writer.string(member.memberId)
    if (version >= 3) writer.string(member.groupInstanceId)
    writer.string(member.clientId).string(member.clientHost)
    if (version >= 1) writer.int32(member.rebalanceTimeoutMs)
    writer.int32(member.sessionTimeoutMs).bytes(member.subscription).bytes(member.assignment).tags()
  })
  return writer.tags().finish()
}

/** Throws CorruptGroupRecordError. Of versions 0 to 4 only. */
export function decodeGroupMetadataValue(bytes: Buffer): GroupMetadata {
  const reader = new SchemaReader(bytes, groupMetadataValueVersions)
  const protocolType = reader.string()
  const generation = reader.int32()
  const protocol = reader.nullableString()
  const leader = reader.nullableString()
  const currentStateTimestamp = reader.version >= 2 ? reader.int64() : -1
  const members = reader.array(() => decodeMember(reader))
  reader.tags()
  return { protocolType, generation, protocol, leader, currentStateTimestamp, members }
}

function decodeMember(reader: SchemaReader): MemberMetadata {
  const memberId = reader.string()
  const groupInstanceId = reader.version >= 3 ? reader.nullableString() : null
  const clientId = reader.string()
  const clientHost = reader.string()
  const givenRebalanceTimeoutMs = reader.version >= 1 ? reader.int32() : null
  const sessionTimeoutMs = reader.int32()
  const rebalanceTimeoutMs = givenRebalanceTimeoutMs ?? sessionTimeoutMs
  const subscription = reader.bytes()
  const assignment = reader.bytes()
  reader.tags()
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    sessionTimeoutMs,
    subscription,
    assignment,
  }
}
