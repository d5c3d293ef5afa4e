import type { ServerContext } from '../base/server-context.ts'
import type { ConfigType } from './config-entry.ts'
import {
  type KeptConfig,
  keptTopicConfigs,
  type TopicConfig,
  topicConfigs,
} from './topic-config-table.ts'

/** What the settings of a broker are told from. */
export type BrokerFacts = Pick<ServerContext, 'options' | 'parts'>

/** A setting of the broker that is told, and changed by starting the server differently. */
export interface FixedBrokerConfig {
  readonly name: string
  readonly type: ConfigType
  readonly value: (facts: BrokerFacts) => string
  /** Kafka's or Varve's default; null where there is none. */
  readonly usual: string | null
  readonly documentation: string
}

const fixed = (
  name: string,
  type: ConfigType,
  [value, usual]: readonly [FixedBrokerConfig['value'], string | null],
  documentation: string,
): FixedBrokerConfig => ({ name, type, value, usual, documentation })

const always = (value: string): readonly [FixedBrokerConfig['value'], string] => [
  () => value,
  value,
]

/** Whose protocol is served: some user interfaces take what a cluster can do from it. */
const servedVersion = '3.9-IV0'

export const fixedBrokerConfigs: readonly FixedBrokerConfig[] = [
  fixed(
    'broker.id',
    'int',
    [({ options }) => String(options.nodeId), null],
    'The id that clients know this broker by.',
  ),
  fixed('node.id', 'int', [({ options }) => String(options.nodeId), null], 'As broker.id.'),
  fixed(
    'log.dirs',
    'list',
    [({ parts }) => parts.topics.directory.path, null],
    'The data directory.',
  ),
  fixed(
    'listeners',
    'list',
    [
      ({ options }) =>
        options.listeners.map(({ name, host, port }) => `${name}://${host}:${port}`).join(','),
      null,
    ],
    'The addresses that the server was told to listen on.',
  ),
  fixed(
    'inter.broker.protocol.version',
    'string',
    always(servedVersion),
    'The version of Kafka whose protocol is served.',
  ),
  fixed(
    'num.partitions',
    'int',
    [({ options }) => String(options.numPartitions), '1'],
    'How many partitions a topic gets where nothing is said.',
  ),
  fixed(
    'default.replication.factor',
    'int',
    always('1'),
    'How many copies of a partition there are.',
  ),
  fixed(
    'auto.create.topics.enable',
    'boolean',
    [({ options }) => String(options.autoCreateTopics), 'true'],
    'Whether asking for a topic makes it.',
  ),
  fixed('delete.topic.enable', 'boolean', always('true'), 'Whether topics can be deleted.'),
  fixed(
    'socket.request.max.bytes',
    'int',
    [({ options }) => String(options.requestBytesMax), '104857600'],
    'The largest request.',
  ),
  fixed(
    'queued.max.request.bytes',
    'long',
    [({ options }) => String(options.queuedRequestBytesMax), '268435456'],
    'Memory for requests that have come and are not answered yet, of all connections.',
  ),
  fixed(
    'fetch.max.bytes',
    'int',
    [({ options }) => String(options.fetchBytesMax), '8388608'],
    'The most that one fetch is answered with.',
  ),
  fixed(
    'connections.max.idle.ms',
    'long',
    [({ options }) => String(options.connectionIdleMsMax), '600000'],
    'Silence after which a connection is closed.',
  ),
  fixed(
    'max.connections',
    'int',
    [({ options }) => String(options.limits.connectionsMax), '20000'],
    'Connections in all.',
  ),
  fixed(
    'max.connections.per.ip',
    'int',
    [({ options }) => String(options.limits.connectionsPerAddressMax), '20000'],
    'Connections from one address.',
  ),
  fixed(
    'transaction.max.timeout.ms',
    'int',
    [({ options }) => String(options.transactionTimeoutMsMax), '900000'],
    'The longest time-out that a transactional producer may ask for.',
  ),
  fixed(
    'group.initial.rebalance.delay.ms',
    'int',
    [({ options }) => String(options.groupInitialRebalanceDelayMs), '3000'],
    'How long a group that was empty waits for more members than the first.',
  ),
  fixed(
    'group.max.size',
    'int',
    [({ options }) => String(options.groupSizeMax), '2147483647'],
    'How many members a group may have.',
  ),
  fixed(
    'group.min.session.timeout.ms',
    'int',
    [({ options }) => String(options.groupSessionTimeoutMsMin), '6000'],
    'The shortest session of a member.',
  ),
  fixed(
    'group.max.session.timeout.ms',
    'int',
    [({ options }) => String(options.groupSessionTimeoutMsMax), '1800000'],
    'The longest session of a member.',
  ),
  fixed(
    'group.consumer.session.timeout.ms',
    'int',
    [({ options }) => String(options.groupConsumerSessionTimeoutMs), '45000'],
    'Silence after which a member of a group of the consumer protocol counts as gone.',
  ),
  fixed(
    'group.consumer.min.session.timeout.ms',
    'int',
    [({ options }) => String(options.groupConsumerSessionTimeoutMsMin), '45000'],
    'The shortest that a group may be given.',
  ),
  fixed(
    'group.consumer.max.session.timeout.ms',
    'int',
    [({ options }) => String(options.groupConsumerSessionTimeoutMsMax), '60000'],
    'The longest that a group may be given.',
  ),
  fixed(
    'group.consumer.heartbeat.interval.ms',
    'int',
    [({ options }) => String(options.groupConsumerHeartbeatIntervalMs), '5000'],
    'How often members of such a group are to be heard of.',
  ),
  fixed(
    'group.consumer.min.heartbeat.interval.ms',
    'int',
    [({ options }) => String(options.groupConsumerHeartbeatIntervalMsMin), '5000'],
    'The shortest that a group may be given.',
  ),
  fixed(
    'group.consumer.max.heartbeat.interval.ms',
    'int',
    [({ options }) => String(options.groupConsumerHeartbeatIntervalMsMax), '15000'],
    'The longest that a group may be given.',
  ),
  fixed(
    'group.consumer.max.size',
    'int',
    [({ options }) => String(options.groupConsumerSizeMax), '2147483647'],
    'How many members such a group may have.',
  ),
  fixed(
    'group.consumer.migration.policy',
    'string',
    [({ options }) => options.groupConsumerMigrationPolicy, 'bidirectional'],
    'Which way a group may change its protocol while it has members.',
  ),
  fixed(
    'offset.metadata.max.bytes',
    'int',
    always('4096'),
    'The longest text that may be committed with an offset.',
  ),
  fixed(
    'offsets.topic.num.partitions',
    'int',
    [({ parts }) => String(parts.topics.find('__consumer_offsets')?.partitions.length ?? 1), '1'],
    'How many partitions the topic of committed offsets has.',
  ),
]

/** Settings of the broker that hold for topics without settings of their own. */
export const inheritedConfigs: ReadonlyMap<string, TopicConfig | KeptConfig> = new Map(
  [...topicConfigs, ...keptTopicConfigs].flatMap((config) => {
    return config.brokerName === null ? [] : [[config.brokerName, config] as const]
  }),
)

/** A setting that holds for groups that were given none of their own, and may be changed. */
export interface GroupBrokerConfig extends FixedBrokerConfig {
  readonly problem: (value: unknown) => string | null
}

/** Kafka's group.consumer.max.assignment.interval.ms. */
export const assignmentIntervalMsMax = 15_000

/** Settings of the broker that hold for groups without settings of their own. */
export const groupBrokerConfigs: ReadonlyMap<string, GroupBrokerConfig> = new Map(
  [
    fixed(
      'group.consumer.assignment.interval.ms',
      'int',
      [({ options }) => String(options.groupConsumerAssignmentIntervalMs), '1000'],
      'How long what has been divided in such a group stands at least.',
    ),
  ].map((config) => {
    const problem = (value: unknown): string | null => {
      const isWithin = Number(value) >= 0 && Number(value) <= assignmentIntervalMsMax
      return isWithin ? null : `it is between 0 and ${assignmentIntervalMsMax}`
    }
    return [config.name, { ...config, problem }]
  }),
)

/** Accepted since tools for moving replicas set them; there is nothing to be throttled. */
export const throttleConfigs: ReadonlySet<string> = new Set([
  'leader.replication.throttled.rate',
  'follower.replication.throttled.rate',
  'replica.alter.log.dirs.io.max.bytes.per.second',
])
