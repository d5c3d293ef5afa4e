import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../src/groups/consumer-protocol.ts'
import { CorruptGroupRecordError } from '../../src/groups/group-errors.ts'
import {
  decodeGroupMetadataKey,
  decodeGroupMetadataValue,
  encodeGroupMetadataKey,
  encodeGroupMetadataValue,
} from '../../src/groups/group-metadata.ts'
import { readGroupRecord } from '../../src/groups/group-record.ts'
import {
  decodeOffsetCommitKey,
  decodeOffsetCommitValue,
  encodeOffsetCommitKey,
  encodeOffsetCommitValue,
} from '../../src/groups/offset-commit.ts'
import { schemaVectors } from './kafka-schemas.ts'

const commitKey = { group: 'billing', topic: 'orders', partition: 3 }

describe('bytes that Kafka wrote are decoded, and encoded the same', () => {
  test.each(schemaVectors('offsetCommitKey'))('offset commit key v%i', (version, bytes) => {
    expect(decodeOffsetCommitKey(bytes)).toEqual(commitKey)
    expect(encodeOffsetCommitKey(commitKey, version as 0 | 1)).toEqual(bytes)
  })

  test.each(schemaVectors('offsetCommitValue'))('offset commit value v%i', (version, bytes) => {
    const value = {
      offset: 1234567890123,
      leaderEpoch: version >= 3 ? 7 : -1,
      metadata: 'méta',
      commitTimestamp: 1700000000123,
      expireTimestamp: version === 1 ? 1700000900123 : -1,
    }
    expect(decodeOffsetCommitValue(bytes)).toEqual(value)
    expect(encodeOffsetCommitValue(value, version)).toEqual(bytes)
  })

  test.each(schemaVectors('groupMetadataKey'))('group metadata key v%i', (_version, bytes) => {
    expect(decodeGroupMetadataKey(bytes)).toBe('billing')
    expect(encodeGroupMetadataKey('billing')).toEqual(bytes)
  })

  test.each(schemaVectors('groupMetadataValue'))('group metadata value v%i', (version, bytes) => {
    const value = decodeGroupMetadataValue(bytes)
    expect(value).toMatchObject({ protocolType: 'consumer', generation: 17, protocol: 'range' })
    expect(value.currentStateTimestamp).toBe(version >= 2 ? 1700000000456 : -1)
    expect(value.members.map((member) => member.memberId)).toEqual(['c-1-uuid', 'c-2-uuid'])
    expect(value.members[0]).toMatchObject({
      groupInstanceId: version >= 3 ? 'static-1' : null,
      rebalanceTimeoutMs: version >= 1 ? 300000 : 45000,
      sessionTimeoutMs: 45000,
      subscription: Buffer.from([0, 1, 2]),
      assignment: Buffer.from([3, 4]),
    })
    expect(encodeGroupMetadataValue(value, version)).toEqual(bytes)
  })

  test.each(schemaVectors('emptyGroupMetadataValue'))('empty group v%i', (version, bytes) => {
    const value = decodeGroupMetadataValue(bytes)
    expect(value).toMatchObject({ generation: 18, protocol: null, leader: null, members: [] })
    expect(encodeGroupMetadataValue(value, version)).toEqual(bytes)
  })

  test.each(schemaVectors('subscription'))('subscription v%i', (version, bytes) => {
    const subscription = decodeSubscription(bytes)
    const owned = [0, 2].map((partition) => ({ topic: 'orders', partition }))
    expect(subscription).toEqual({
      topics: ['a', 'orders'],
      userData: Buffer.from([9, 8]),
      ownedPartitions: version >= 1 ? owned : [],
      generationId: version >= 2 ? 5 : -1,
      rackId: version >= 3 ? 'rack-1' : null,
    })
    expect(encodeSubscription(subscription, version)).toEqual(bytes)
  })

  test.each(schemaVectors('assignment'))('assignment v%i', (version, bytes) => {
    const assignment = decodeAssignment(bytes)
    expect(assignment.partitions.map(({ topic, partition }) => `${topic}-${partition}`)).toEqual([
      'a-1',
      'orders-0',
      'orders-2',
    ])
    expect(encodeAssignment(assignment, version)).toEqual(bytes)
  })
})

describe('a record of __consumer_offsets', () => {
  const key = encodeOffsetCommitKey(commitKey)

  test('with a null value is a tombstone', () => {
    expect(readGroupRecord({ key, value: null })).toEqual({
      kind: 'offsetCommit',
      key: commitKey,
      value: null,
    })
    const groupKey = encodeGroupMetadataKey('billing')
    expect(readGroupRecord({ key: groupKey, value: null })).toMatchObject({
      kind: 'group',
      group: 'billing',
      value: null,
    })
  })

  test.each([
    ['a key of a newer protocol', Buffer.from([0, 11, 0, 0]), null, 'keys of version 11'],
    ['a value of a newer version', key, Buffer.from([0, 9, 1]), 'offset commit value of version 9'],
    ['no key', null, Buffer.alloc(4), 'no versioned key'],
    ['a value that ends early', key, Buffer.from([0, 3, 0]), 'ends within a field'],
    ['a negative version', key, Buffer.from([0xff, 0xff, 0]), 'its version is -1'],
  ])('with %s is skipped with a reason', (_name, recordKey, value, reason) => {
    const read = readGroupRecord({ key: recordKey, value })
    expect(read).toMatchObject({ kind: 'skipped', reason: expect.stringContaining(reason) })
  })

  test('of any bytes is decoded or skipped, and never takes memory out of proportion', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
    const versioned = fc
      .tuple(fc.integer({ min: 0, max: 4 }), bytes)
      .map(([version, rest]) => Buffer.concat([Buffer.from([0, version]), rest]))
    fc.assert(
      fc.property(versioned, versioned, (recordKey, value) => {
        expect(['offsetCommit', 'group', 'skipped']).toContain(
          readGroupRecord({ key: recordKey, value }).kind,
        )
      }),
    )
  })

  test('an array that claims more elements than there are bytes is refused', () => {
    const subscription = Buffer.from([0, 0, 0x7f, 0xff, 0xff, 0xff])
    expect(() => decodeSubscription(subscription)).toThrow(CorruptGroupRecordError)
  })

  test('a damaged one of a right vector is decoded or refused with the typed error', () => {
    const whole = schemaVectors('groupMetadataValue')[4]?.[1] ?? Buffer.alloc(0)
    for (let at = 0; at < whole.length; at++) {
      for (const byte of [0, 0x7f, 0x80, 0xff]) {
        const damaged = Buffer.from(whole)
        damaged[at] = byte
        try {
          decodeGroupMetadataValue(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptGroupRecordError)
        }
      }
    }
  })
})
