import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeConsumerGroupRecord,
  encodeConsumerGroupKey,
  encodeConsumerGroupValue,
} from '../../../src/groups/consumer/consumer-group-encoding.ts'
import type { ConsumerGroupRecord } from '../../../src/groups/consumer/consumer-group-record.ts'
import { CorruptGroupRecordError } from '../../../src/groups/group-errors.ts'
import { checkGroupName } from '../../../src/groups/group-name.ts'
import { topicIdOf } from './consumer-group-bench.ts'

const noted = { topicId: topicIdOf(7), partitions: [0, 300] }
const member = {
  ...{ instanceId: 'one', rackId: null, clientId: 'c', clientHost: '/::1' },
  ...{ topicNames: ['t', 'u'], topicRegex: 'x.*', rebalanceTimeoutMs: 5, serverAssignor: 'range' },
  classic: null,
}
const classic = {
  sessionTimeoutMs: 7,
  protocols: [{ name: 'range', metadata: Buffer.from([1, 2]) }],
}
const assignment = {
  ...{ memberEpoch: 3, previousMemberEpoch: -1, state: 'unrevoked' as const },
  assigned: [{ ...noted, epochs: [2, 3] }],
  revoking: [{ ...noted, epochs: null }],
}

const records: readonly ConsumerGroupRecord[] = [
  { kind: 'epoch', group: 'g', value: { epoch: 4, metadataHash: -(2n ** 63n) } },
  { kind: 'epoch', group: 'g', value: { epoch: 4, metadataHash: 0n } },
  { kind: 'topics', group: 'g', value: 'noted' },
  { kind: 'member', group: 'g', memberId: 'm', value: member },
  { kind: 'member', group: 'g', memberId: 'm', value: { ...member, classic } },
  { kind: 'targetEpoch', group: 'g', value: { epoch: 4, timestamp: 1_700_000_000_000 } },
  { kind: 'target', group: 'g', memberId: 'm', value: [noted] },
  { kind: 'current', group: 'g', memberId: 'm', value: assignment },
  {
    ...{ kind: 'expression', group: 'g', expression: 'x.*' },
    value: { topics: ['x1'], version: 1, timestamp: 2 },
  },
]

test.each(records)(
  'a record of $kind, and its tombstone, are read as they were written',
  (record) => {
    const key = encodeConsumerGroupKey(record)
    const value = encodeConsumerGroupValue(record)
    expect(decodeConsumerGroupRecord(key, value)).toEqual(record)
    expect(decodeConsumerGroupRecord(key, null)).toEqual({ ...record, value: null })
    expect(encodeConsumerGroupValue({ ...record, value: null })).toBeNull()
  },
)

test('what a member has is written as Kafka writes it', () => {
  const record = records[7]
  if (record === undefined) throw new Error('there is no such record')
  expect(encodeConsumerGroupKey(record).toString('hex')).toBe('0008000167' + '00016d')
  const topic = '00000000000000000000000000000007' + '03' + '00000000' + '0000012c'
  const epochs = '01' + '00' + '09' + '03' + '00000002' + '00000003'
  const all = ['0000', '00000003', 'ffffffff', '01', '02', topic, epochs, '02', topic, '00', '00']
  expect(encodeConsumerGroupValue(record)?.toString('hex')).toBe(all.join(''))
})

test('a member of the classic protocol is written as Kafka writes it', () => {
  const value = {
    ...{ ...member, topicNames: ['t'], topicRegex: '', serverAssignor: null, classic },
  }
  const record = { kind: 'member', group: 'g', memberId: 'm', value } as const
  const own =
    '0000' + '046f6e65' + '00' + '0263' + '052f3a3a31' + '020274' + '01' + '00000005' + '00'
  const tagged = '01' + '0011' + '01' + '00000007' + '02' + '0672616e6765' + '030102' + '00' + '00'
  expect(encodeConsumerGroupValue(record)?.toString('hex')).toBe(own + tagged)
})

test('any bytes are decoded or refused', () => {
  const kinds = fc.constantFrom(3, 4, 5, 6, 7, 8, 16)
  const bytes = fc.uint8Array({ maxLength: 80 })
  fc.assert(
    fc.property(kinds, bytes, bytes, (kind, keyEnd, valueEnd) => {
      const key = Buffer.concat([Buffer.from([0, kind]), keyEnd])
      const value = Buffer.concat([Buffer.from([0, 0]), valueEnd])
      try {
        expect(decodeConsumerGroupRecord(key, value)?.group).toBeTypeOf('string')
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptGroupRecordError)
      }
    }),
  )
  expect(decodeConsumerGroupRecord(Buffer.from([0, 9]), null)).toBeNull()
})

test('the name of a group has something in it, and no more than can be noted', () => {
  checkGroupName('g')
  for (const bad of ['', 7, 'x'.repeat(40_000)]) expect(() => checkGroupName(bad)).toThrow('group')
})
