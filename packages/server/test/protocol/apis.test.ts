import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { RequestOf, ResponseOf } from '../../src/protocol/api-declaration.ts'
import { type ApiNamed, apiByKey, apiNamed, apis } from '../../src/protocol/apis.ts'
import { layoutOf } from '../../src/protocol/message-layout.ts'
import { parseVersionRange } from '../../src/protocol/version-range.ts'
import { versionsIn } from './message-arbitrary.ts'

test('every declaration is listed, by rising key', () => {
  const directory = join(import.meta.dirname, '../../src/protocol/apis')
  const named = apis.map(({ name }) => {
    return `${name.replace(/(?<!^)(?=[A-Z])/g, '-').toLowerCase()}.ts`
  })
  expect([...named].sort()).toEqual(readdirSync(directory).sort())
  const keys = apis.map(({ key }) => key)
  expect(keys).toEqual([...new Set(keys)].sort((one, other) => one - other))
})

test('an API is found by its key and by its name', () => {
  for (const api of apis) {
    expect(apiByKey(api.key)).toBe(api)
    expect(apiNamed(api.name)).toBe(api)
  }
  expect(apiByKey(7)).toBe(undefined)
})

test('every version of every message can be laid out, and no element of an array is without bytes', () => {
  for (const api of apis) {
    for (const version of versionsIn(api)) {
      const isFlexible = api.flexibleFrom !== null && version >= api.flexibleFrom
      for (const fields of [api.request, api.response]) {
        const { minBytes } = layoutOf(fields, version, isFlexible)
        expect(minBytes).toBeGreaterThanOrEqual(isFlexible ? 1 : 0)
      }
    }
  }
})

describe('versions are wide enough for the clients that are out there:', () => {
  // What traces show of each: the lowest and highest version that it can be answered in.
  const spoken: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
    'librdkafka 2.0.2': {
      ...{
        ApiVersions: [0, 3],
        Metadata: [4],
        Produce: [3, 7],
        Fetch: [4, 11],
        ListOffsets: [1, 2],
      },
      ...{ FindCoordinator: [0, 2], JoinGroup: [0, 5], SyncGroup: [0, 3], Heartbeat: [0, 3] },
      ...{ LeaveGroup: [0, 1], OffsetFetch: [1, 7], OffsetCommit: [1, 7], InitProducerId: [0, 4] },
      ...{ AddPartitionsToTxn: [0], AddOffsetsToTxn: [0], EndTxn: [1], TxnOffsetCommit: [3] },
      ...{ CreateTopics: [4], DeleteTopics: [1], CreatePartitions: [0], DescribeConfigs: [1] },
      ...{ AlterConfigs: [0], DeleteRecords: [1], DeleteGroups: [1], OffsetDelete: [0] },
      ...{ ListGroups: [4], DescribeGroups: [4], DescribeAcls: [1], SaslHandshake: [0, 1] },
    },
    'kafka-python 2.0.2': {
      ...{ ApiVersions: [0], Metadata: [0, 5], Produce: [7], Fetch: [4], ListOffsets: [1] },
      ...{ FindCoordinator: [0], JoinGroup: [2], SyncGroup: [1], OffsetCommit: [2] },
      ...{ OffsetFetch: [1, 3], CreateTopics: [3], ListGroups: [1], SaslHandshake: [0] },
    },
    'kafkajs 2.2.4': {
      ...{ ApiVersions: [0, 2], Metadata: [6], Produce: [7], Fetch: [11], ListOffsets: [3] },
      ...{ LeaveGroup: [3], OffsetCommit: [5], OffsetFetch: [4], AlterConfigs: [1] },
      ...{ AlterPartitionReassignments: [0], ListPartitionReassignments: [0] },
    },
    '@platformatic/kafka': {
      ...{ ApiVersions: [3], Metadata: [9, 12], Produce: [7, 11], Fetch: [12, 17] },
      ...{ FindCoordinator: [4, 6], Heartbeat: [4], OffsetCommit: [8, 9], OffsetFetch: [8, 9] },
      ...{ CreateTopics: [7], DeleteTopics: [6], DescribeGroups: [5], DeleteGroups: [2] },
      ...{ SaslAuthenticate: [2], OffsetForLeaderEpoch: [4], ConsumerGroupHeartbeat: [0, 1] },
      ...{ DescribeClientQuotas: [0], AlterClientQuotas: [1], DescribeLogDirs: [2, 4] },
    },
    'Java 4': {
      ...{ ApiVersions: [4], Metadata: [13], Produce: [13], Fetch: [18], ListOffsets: [11] },
      ...{ OffsetCommit: [10], OffsetFetch: [10], JoinGroup: [9], DescribeGroups: [6] },
      ...{ InitProducerId: [5], EndTxn: [5], TxnOffsetCommit: [5], DescribeCluster: [2] },
      ...{ DescribeTopicPartitions: [0], ConsumerGroupDescribe: [1], ListTransactions: [2] },
    },
  }
  test.each(Object.entries(spoken))('%s', (_client, versions) => {
    for (const [name, wanted] of Object.entries(versions)) {
      const api = apis.find((candidate) => candidate.name === name)
      const { first, last } = parseVersionRange(api?.versions ?? '')
      for (const version of wanted) {
        expect(version, name).toBeGreaterThanOrEqual(first)
        expect(version, name).toBeLessThanOrEqual(last)
      }
    }
  })
})

test('types of messages come from their declarations', () => {
  type Fetch = RequestOf<ApiNamed<'Fetch'>>
  type Partition = Fetch['topics'][number]['partitions'][number]
  expectTypeOf<Partition['fetchOffset']>().toEqualTypeOf<number>()
  expectTypeOf<Fetch['clusterId']>().toEqualTypeOf<string | null>()
  expectTypeOf<Fetch['replicaState']['replicaEpoch']>().toEqualTypeOf<number>()
  expectTypeOf<Fetch['forgottenTopicsData'][number]['partitions']>().toEqualTypeOf<
    readonly number[]
  >()
  expectTypeOf<RequestOf<ApiNamed<'Metadata'>>['topics']>().toEqualTypeOf<
    readonly { readonly topicId: string; readonly name: string | null }[] | null
  >()
  expectTypeOf<{ errorCode: number }>().toExtend<ResponseOf<ApiNamed<'Heartbeat'>>>()
  expectTypeOf<{ throttleTimeMs: number }>().not.toExtend<ResponseOf<ApiNamed<'Heartbeat'>>>()
})
