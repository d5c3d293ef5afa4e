import type { Operation, ResourceType } from '../../src/base/access.ts'
import type { Encodable } from '../../src/protocol/api-declaration.ts'
import type { ApiName, ApiNamed } from '../../src/protocol/apis.ts'
import { producedBatch, valued } from '../produced-batch.ts'

/** An operation on a type of resource: of each type the test has one. */
export type Right = `${Operation} ${ResourceType}`

/** What an API needs: all rights of one of several lists. */
export interface AccessRow<Name extends ApiName> {
  readonly needs: readonly (readonly Right[])[]
  /** How what is not allowed shows: refused with a code, or left out of a list without a word. */
  readonly shows?: 'a code' | 'what is left out'
  readonly request: (topicId: string) => Encodable<ApiNamed<Name>['request']>
  /** @defaultValue the last that is offered */
  readonly version?: number
}

type AccessTable = { readonly [Name in ApiName]?: AccessRow<Name> }

export const names = {
  ...{ topic: 'orders', group: 'billing', cluster: 'kafka-cluster' },
  ...{ transactionalId: 'payments', delegationToken: 'token', user: 'alice' },
} as const

const { topic, group, transactionalId } = names
const free: readonly (readonly Right[])[] = [[]]
const producer = { transactionalId, producerId: 0, producerEpoch: 0 }
const partitions = [0]
const assignments = [{ name: 'range', metadata: Buffer.alloc(0) }]
const member = { groupId: group, generationId: 1, memberId: 'm' }
const anyRule = {
  ...{ resourceTypeFilter: 2, resourceNameFilter: 'none', patternTypeFilter: 3 },
  ...{ principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 },
}

/** Of a group, whose settings have rights of their own. */
const ofGroup = { resourceType: 32, resourceName: group }

/** What APIs need for resources of other types than in the table. */
export const moreAccess: readonly (readonly [ApiName, AccessRow<never>])[] = [
  [
    'DescribeConfigs',
    {
      needs: [['describeConfigs group']],
      request: () => ({ resources: [{ ...ofGroup, configurationKeys: null }] }) as never,
    },
  ],
  [
    'AlterConfigs',
    {
      needs: [['alterConfigs group']],
      request: () => ({ resources: [{ ...ofGroup, configs: [] }], validateOnly: true }) as never,
    },
  ],
  [
    'IncrementalAlterConfigs',
    {
      needs: [['alterConfigs group']],
      request: () => ({ resources: [{ ...ofGroup, configs: [] }], validateOnly: true }) as never,
    },
  ],
  ...([4, 8, 16] as const).map((resourceType) => {
    const resources = [{ resourceType, resourceName: '1', configurationKeys: null }]
    const request = () => ({ resources }) as never
    return ['DescribeConfigs', { needs: [['describeConfigs cluster']], request }] as const
  }),
]

/** What each API needs: Kafka's rules, written down once. */
export const accessTable: AccessTable = {
  Produce: {
    needs: [['write topic']],
    request: (topicId) => ({
      ...{ acks: 1, timeoutMs: 1000 },
      topicData: [
        {
          name: topic,
          topicId,
          partitionData: [{ index: 0, records: producedBatch(valued('x')).bytes }],
        },
      ],
    }),
  },
  Fetch: {
    needs: [['read topic']],
    request: (topicId) => ({
      ...{ maxWaitMs: 0, minBytes: 0 },
      topics: [
        {
          ...{ topic, topicId },
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
        },
      ],
    }),
  },
  ListOffsets: {
    needs: [['describe topic']],
    request: () => ({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    }),
  },
  Metadata: {
    needs: [['describe topic']],
    request: () => ({ topics: [{ name: topic }], allowAutoTopicCreation: false }),
  },
  OffsetCommit: {
    needs: [['read group', 'read topic']],
    request: (topicId) => ({
      groupId: group,
      topics: [
        {
          ...{ name: topic, topicId },
          partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }],
        },
      ],
    }),
  },
  OffsetFetch: {
    needs: [['describe group', 'describe topic']],
    request: (topicId) => ({
      groups: [
        { groupId: group, topics: [{ name: topic, topicId, partitionIndexes: partitions }] },
      ],
    }),
  },
  FindCoordinator: {
    needs: [['describe group']],
    request: () => ({ keyType: 0, coordinatorKeys: [group] }),
  },
  JoinGroup: {
    needs: [['read group']],
    request: () => ({
      ...{ groupId: group, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '' },
      ...{ protocolType: 'consumer', protocols: assignments },
    }),
  },
  Heartbeat: { needs: [['read group']], request: () => member },
  LeaveGroup: {
    needs: [['read group']],
    request: () => ({ groupId: group, members: [{ memberId: 'm' }] }),
  },
  SyncGroup: { needs: [['read group']], request: () => ({ ...member, assignments: [] }) },
  DescribeGroups: { needs: [['describe group']], request: () => ({ groups: [group] }) },
  ListGroups: {
    needs: [['describe cluster'], ['describe group']],
    shows: 'what is left out',
    request: () => ({ statesFilter: [], typesFilter: [] }),
  },
  SaslHandshake: { needs: free, request: () => ({ mechanism: 'PLAIN' }) },
  ApiVersions: {
    needs: free,
    request: () => ({ clientSoftwareName: 'test', clientSoftwareVersion: '1' }),
  },
  CreateTopics: {
    needs: [['create cluster'], ['create topic']],
    request: () => ({
      validateOnly: true,
      topics: [
        { name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
      ],
    }),
  },
  DeleteTopics: {
    needs: [['delete cluster'], ['delete topic']],
    request: () => ({
      topics: [{ name: 'doomed', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      ...{ topicNames: [], timeoutMs: 1000 },
    }),
  },
  DeleteRecords: {
    needs: [['delete topic']],
    request: () => ({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0 }] }],
      timeoutMs: 1000,
    }),
  },
  InitProducerId: {
    needs: [['write transactionalId']],
    request: () => ({ transactionalId, transactionTimeoutMs: 1000 }),
  },
  OffsetForLeaderEpoch: {
    needs: [['describe topic'], ['clusterAction cluster']],
    request: () => ({ topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }] }),
  },
  AddPartitionsToTxn: {
    needs: [['write transactionalId', 'write topic']],
    request: () => ({ ...producer, topics: [{ name: topic, partitions }] }),
  },
  AddOffsetsToTxn: {
    needs: [['write transactionalId', 'read group']],
    request: () => ({ ...producer, groupId: group }),
  },
  EndTxn: {
    needs: [['write transactionalId']],
    request: () => ({ ...producer, committed: false }),
  },
  TxnOffsetCommit: {
    needs: [['write transactionalId', 'read group', 'read topic']],
    request: () => ({
      ...{ ...producer, groupId: group },
      topics: [
        {
          name: topic,
          partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }],
        },
      ],
    }),
  },
  DescribeAcls: { needs: [['describe cluster']], request: () => anyRule },
  CreateAcls: {
    needs: [['alter cluster']],
    request: () => ({
      creations: [
        {
          ...{ resourceType: 3, resourceName: 'g', principal: 'User:other', host: '*' },
          ...{ operation: 3, permissionType: 3 },
        },
      ],
    }),
  },
  DeleteAcls: { needs: [['alter cluster']], request: () => ({ filters: [anyRule] }) },
  DescribeConfigs: {
    needs: [['describeConfigs topic']],
    request: () => ({
      resources: [{ resourceType: 2, resourceName: topic, configurationKeys: null }],
    }),
  },
  AlterConfigs: {
    needs: [['alterConfigs topic']],
    request: () => ({
      resources: [{ resourceType: 2, resourceName: topic, configs: [] }],
      validateOnly: true,
    }),
  },
  IncrementalAlterConfigs: {
    needs: [['alterConfigs topic']],
    request: () => ({
      resources: [
        {
          ...{ resourceType: 2, resourceName: topic },
          configs: [{ name: 'retention.ms', configOperation: 0, value: '1000000' }],
        },
      ],
      validateOnly: true,
    }),
  },
  AlterReplicaLogDirs: {
    needs: [['alter cluster']],
    request: () => ({ dirs: [{ path: '/data', topics: [{ name: topic, partitions }] }] }),
  },
  DescribeLogDirs: { needs: [['describe cluster']], request: () => ({ topics: null }) },
  SaslAuthenticate: { needs: free, request: () => ({ authBytes: Buffer.alloc(0) }) },
  CreatePartitions: {
    needs: [['alter topic']],
    request: () => ({
      topics: [{ name: topic, count: 2, assignments: null }],
      ...{ timeoutMs: 1000, validateOnly: true },
    }),
  },
  DeleteGroups: { needs: [['delete group']], request: () => ({ groupsNames: [group] }) },
  ElectLeaders: {
    needs: [['alter cluster']],
    request: () => ({ topicPartitions: [{ topic, partitions }] }),
  },
  AlterPartitionReassignments: {
    needs: [['alter cluster']],
    request: () => ({ topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] }),
  },
  ListPartitionReassignments: {
    needs: [['describe cluster']],
    request: () => ({ topics: null }),
  },
  OffsetDelete: {
    needs: [['delete group', 'read topic']],
    request: () => ({
      groupId: group,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }],
    }),
  },
  DescribeClientQuotas: {
    needs: [['describeConfigs cluster']],
    request: () => ({ components: [], strict: false }),
  },
  AlterClientQuotas: {
    needs: [['alterConfigs cluster']],
    request: () => ({
      entries: [{ entity: [{ entityType: 'user', entityName: 'alice' }], ops: [] }],
      validateOnly: true,
    }),
  },
  DescribeUserScramCredentials: {
    needs: [['describe cluster']],
    request: () => ({ users: null }),
  },
  AlterUserScramCredentials: {
    needs: [['alter cluster']],
    request: () => ({ deletions: [{ name: 'nobody', mechanism: 1 }], upsertions: [] }),
  },
  DescribeQuorum: {
    needs: [['describe cluster']],
    request: () => ({ topics: [] }),
  },
  DescribeCluster: { needs: free, request: () => ({}) },
  DescribeProducers: {
    needs: [['read topic']],
    request: () => ({ topics: [{ name: topic, partitionIndexes: partitions }] }),
  },
  DescribeTransactions: {
    needs: [['describe transactionalId']],
    request: () => ({ transactionalIds: [transactionalId] }),
  },
  ListTransactions: {
    needs: [['describe transactionalId']],
    shows: 'what is left out',
    request: () => ({ stateFilters: [], producerIdFilters: [] }),
  },
  ConsumerGroupHeartbeat: {
    needs: [['read group', 'describe topic']],
    request: () => ({
      // Of nobody: whoever joined would show others' topics to who describes the group.
      ...{ groupId: group, memberId: 'm', memberEpoch: 5, rebalanceTimeoutMs: 10_000 },
      ...{ subscribedTopicNames: [topic], topicPartitions: [] },
    }),
  },
  ConsumerGroupDescribe: {
    needs: [['describe group']],
    request: () => ({ groupIds: [group] }),
  },
  ListConfigResources: {
    needs: [['describeConfigs cluster']],
    request: () => ({ resourceTypes: [] }),
  },
  DescribeTopicPartitions: {
    needs: [['describe topic']],
    request: () => ({ topics: [{ name: topic }], cursor: null }),
  },
}
