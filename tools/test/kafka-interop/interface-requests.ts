import type { ApiName } from '@varve/server'

/** What a user interface asks of a broker. */
export interface InterfaceRequest {
  readonly api: ApiName
  /** The newest version that its client library knows. */
  readonly version: number
  /** What it asks for, said in words. */
  readonly asks: string
  readonly request: object
}

/** What the topics of a contract are called, and the group. */
export const contractTopics = ['orders', 'views'] as const
export const contractGroup = 'billing'

const topicType = 2
const brokerType = 4

const named = contractTopics.map((name) => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }))

function listOffsets(timestamp: number, version: number): InterfaceRequest {
  const partition = { timestamp, currentLeaderEpoch: -1, maxNumOffsets: 1 }
  const orders = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, ...partition }))
  return {
    ...{ api: 'ListOffsets', version },
    asks: timestamp === -1 ? 'where partitions end' : 'where partitions begin',
    request: {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 'orders', partitions: orders }],
    },
  }
}

function describe(
  asks: string,
  resources: readonly { resourceType: number; resourceName: string; keys?: readonly string[] }[],
  isFull = true,
): InterfaceRequest {
  return {
    ...{ api: 'DescribeConfigs', version: 4, asks },
    request: {
      resources: resources.map(({ keys = null, ...resource }) => {
        return { ...resource, configurationKeys: keys }
      }),
      includeSynonyms: isFull,
      includeDocumentation: isFull,
    },
  }
}

const allTopics = contractTopics.map((resourceName) => ({ resourceType: topicType, resourceName }))
const theBroker = { resourceType: brokerType, resourceName: '1' }

const create = (name: string, replicationFactor: number): InterfaceRequest => ({
  ...{ api: 'CreateTopics', version: 7, asks: `topic ${name} is made` },
  request: {
    topics: [
      {
        ...{ name, numPartitions: 2, replicationFactor, assignments: [] },
        configs: [
          { name: 'cleanup.policy', value: 'delete' },
          { name: 'retention.ms', value: '604800000' },
          { name: 'max.message.bytes', value: '1000012' },
          { name: 'min.insync.replicas', value: '1' },
        ],
      },
    ],
    ...{ timeoutMs: 30_000, validateOnly: false },
  },
})

const grow = (name: string): InterfaceRequest => ({
  ...{ api: 'CreatePartitions', version: 3, asks: `topic ${name} gets partitions` },
  request: {
    topics: [{ name, count: 4, assignments: null }],
    ...{ timeoutMs: 30_000, validateOnly: false },
  },
})

const remove = (name: string): InterfaceRequest => ({
  ...{ api: 'DeleteTopics', version: 6, asks: `topic ${name} is deleted` },
  request: {
    ...{ topicNames: [], timeoutMs: 30_000 },
    topics: [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
  },
})

const empty = (offset: number): InterfaceRequest => ({
  ...{ api: 'DeleteRecords', version: 2, asks: 'records are deleted' },
  request: {
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: 30_000,
  },
})

const allMetadata: InterfaceRequest = {
  ...{ api: 'Metadata', version: 12, asks: 'all topics' },
  request: { topics: null, allowAutoTopicCreation: false },
}

const namedMetadata: InterfaceRequest = {
  ...{ api: 'Metadata', version: 12, asks: 'some topics, and one that is not there' },
  request: {
    topics: [...named, { name: 'nothing', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ...{ allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true },
  },
}

const cluster: InterfaceRequest = {
  ...{ api: 'DescribeCluster', version: 1, asks: 'the cluster' },
  request: { includeClusterAuthorizedOperations: true },
}

const quorum: InterfaceRequest = {
  ...{ api: 'DescribeQuorum', version: 2, asks: 'who keeps the metadata' },
  request: {
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
  },
}

const logDirs: InterfaceRequest = {
  ...{ api: 'DescribeLogDirs', version: 4, asks: 'how large everything is' },
  request: { topics: null },
}

const describeTopics: InterfaceRequest = {
  ...{ api: 'DescribeTopicPartitions', version: 0, asks: 'topics with their partitions' },
  request: { topics: contractTopics.map((name) => ({ name })), cursor: null },
}

const quotas: InterfaceRequest = {
  ...{ api: 'DescribeClientQuotas', version: 1, asks: 'quotas of clients' },
  request: { components: [], strict: false },
}

const anything = 1
const acls: InterfaceRequest = {
  ...{ api: 'DescribeAcls', version: 3, asks: 'access rules' },
  request: {
    ...{ resourceTypeFilter: anything, resourceNameFilter: null, patternTypeFilter: anything },
    ...{ principalFilter: null, hostFilter: null, operation: anything, permissionType: anything },
  },
}

const alterOne: InterfaceRequest = {
  ...{ api: 'IncrementalAlterConfigs', version: 1, asks: 'one setting is changed' },
  request: {
    resources: [
      {
        ...{ resourceType: topicType, resourceName: 'orders' },
        configs: [{ name: 'retention.ms', configOperation: 0, value: '3600000' }],
      },
    ],
    validateOnly: false,
  },
}

/** Of groups, as every interface asks for them. */
const groups: readonly InterfaceRequest[] = [
  {
    ...{ api: 'FindCoordinator', version: 4, asks: 'where a group is' },
    request: { keyType: 0, coordinatorKeys: [contractGroup] },
  },
  {
    ...{ api: 'ListGroups', version: 4, asks: 'all groups' },
    request: { statesFilter: [] },
  },
  {
    ...{ api: 'DescribeGroups', version: 5, asks: 'a group, and one that is not there' },
    request: { groups: [contractGroup, 'nobody'], includeAuthorizedOperations: true },
  },
  {
    ...{ api: 'OffsetFetch', version: 8, asks: 'how far a group is' },
    request: { groups: [{ groupId: contractGroup, topics: null }], requireStable: false },
  },
]

const moveGroup: InterfaceRequest = {
  ...{ api: 'OffsetCommit', version: 8, asks: 'a group is set back' },
  request: {
    ...{ groupId: contractGroup, generationIdOrMemberEpoch: -1, memberId: '' },
    topics: [
      {
        name: 'orders',
        partitions: [
          { partitionIndex: 0, committedOffset: 2, committedMetadata: '' },
          { partitionIndex: 1, committedOffset: 0, committedMetadata: 'by hand' },
        ],
      },
    ],
  },
}

const forgetOffsets: InterfaceRequest = {
  ...{ api: 'OffsetDelete', version: 0, asks: 'a group forgets a partition' },
  request: {
    groupId: contractGroup,
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 1 }] }],
  },
}

/** Redpanda Console: its client is franz-go. */
export const consoleRequests: readonly InterfaceRequest[] = [
  allMetadata,
  namedMetadata,
  describe('the broker’s settings', [theBroker]),
  describe('what becomes of old records', [
    { resourceType: topicType, resourceName: 'orders', keys: ['cleanup.policy'] },
    { resourceType: topicType, resourceName: 'views', keys: ['cleanup.policy'] },
  ]),
  describe('settings of a topic', [allTopics[0] ?? theBroker]),
  logDirs,
  listOffsets(-2, 7),
  listOffsets(-1, 7),
  {
    ...{ api: 'ListPartitionReassignments', version: 0, asks: 'replicas under way' },
    request: { timeoutMs: 30_000, topics: null },
  },
  ...groups,
  moveGroup,
  ...groups,
  forgetOffsets,
  ...groups,
  quotas,
  {
    ...{ api: 'DescribeUserScramCredentials', version: 0, asks: 'users with passwords' },
    request: { users: null },
  },
  acls,
  alterOne,
  create('by-console', 1),
  grow('by-console'),
  empty(3),
  remove('by-console'),
]

/** kafbat's UI: its client is Kafka's own. */
export const kafbatRequests: readonly InterfaceRequest[] = [
  cluster,
  quorum,
  describe('the broker’s settings', [theBroker]),
  allMetadata,
  describeTopics,
  describe('settings of all topics', allTopics),
  logDirs,
  {
    ...{ api: 'DescribeLogDirs', version: 4, asks: 'how large some partitions are' },
    request: { topics: [{ topic: 'orders', partitions: [0, 1] }] },
  },
  listOffsets(-2, 9),
  listOffsets(-1, 9),
  {
    ...{ api: 'DescribeProducers', version: 0, asks: 'active producers of a topic' },
    request: { topics: [{ name: 'views', partitionIndexes: [0] }] },
  },
  ...groups,
  moveGroup,
  quotas,
  acls,
  create('by-kafbat', 1),
  alterOne,
  grow('by-kafbat'),
  empty(4),
  remove('by-kafbat'),
]

/** AKHQ: its client is Kafka's own; it replaces settings as a whole. */
export const akhqRequests: readonly InterfaceRequest[] = [
  cluster,
  allMetadata,
  describeTopics,
  logDirs,
  describe('settings of all topics', allTopics, false),
  describe('the broker’s settings', [theBroker], false),
  listOffsets(-2, 9),
  listOffsets(-1, 9),
  ...groups,
  acls,
  create('by-akhq', -1),
  grow('by-akhq'),
  {
    ...{ api: 'AlterConfigs', version: 2, asks: 'settings are replaced' },
    request: {
      resources: [
        {
          ...{ resourceType: topicType, resourceName: 'orders' },
          configs: [{ name: 'segment.ms', value: '86400000' }],
        },
      ],
      validateOnly: false,
    },
  },
  describe('settings of a topic', [allTopics[0] ?? theBroker], false),
  empty(-1),
  listOffsets(-2, 9),
  remove('by-akhq'),
  {
    ...{ api: 'DeleteGroups', version: 2, asks: 'a group is deleted, and one that is not there' },
    request: { groupsNames: [contractGroup, 'nobody'] },
  },
  ...groups,
]
