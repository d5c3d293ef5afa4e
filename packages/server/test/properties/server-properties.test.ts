import { expect, test } from 'vitest'
import { parseProperties } from '../../src/properties/properties-text.ts'
import { configureServer } from '../../src/properties/server-properties.ts'

const configured = (text: string): ReturnType<typeof configureServer> =>
  configureServer(parseProperties(text))

test("a broker's file is taken as it is: what matters on one node is set, the rest is listed", () => {
  const { options, ignored } = configured(`
process.roles=broker,controller
node.id=3
controller.quorum.voters=3@localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
advertised.listeners=PLAINTEXT://broker.example:19092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
num.network.threads=3
socket.request.max.bytes=104857600
log.dirs=/var/lib/kafka
num.partitions=6
auto.create.topics.enable=false
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
log.flush.interval.messages=9223372036854775807
offsets.topic.replication.factor=1
`)
  expect(options).toEqual({
    nodeId: 3,
    data: '/var/lib/kafka',
    numPartitions: 6,
    autoCreateTopics: false,
    requestBytesMax: 104_857_600,
    listeners: [
      {
        ...{ name: 'PLAINTEXT', host: '0.0.0.0', port: 9092 },
        ...{ advertisedHost: 'broker.example', advertisedPort: 19_092 },
      },
    ],
    directoryOptions: {
      topicDefaults: { retentionMs: 604_800_000, segmentBytes: 2 ** 30, flushMessages: -1 },
      cleaning: { retentionIntervalMs: 300_000 },
    },
  })
  expect(ignored).toEqual([
    'process.roles',
    'controller.quorum.voters',
    'num.network.threads',
    'offsets.topic.replication.factor',
  ])
})

test('milliseconds count more than minutes, and those more than hours, wherever they stand', () => {
  const text = 'log.retention.ms=5\nlog.retention.minutes=7\nlog.retention.hours=9'
  expect(configured(text).options.directoryOptions?.topicDefaults?.retentionMs).toBe(5)
  const { options } = configured('log.retention.minutes=7\nlog.retention.hours=9')
  expect(options.directoryOptions?.topicDefaults?.retentionMs).toBe(420_000)
  const unlimited = configured('log.retention.hours=-1').options
  expect(unlimited.directoryOptions?.topicDefaults?.retentionMs).toBe(-1)
})

test('a name that is not known is refused with the one that is nearest', () => {
  expect(() => configured('num.partition=3')).toThrow(/num\.partition.*num\.partitions/)
  expect(() => configured('log.retention.milliseconds=3')).toThrow(/log\.retention/)
  expect(() => configured('zzz=3')).toThrow(/none of that name$/)
})

test('values that cannot be read are refused with the name of the setting', () => {
  expect(() => configured('num.partitions=many')).toThrow(/num\.partitions.*whole number/)
  expect(() => configured('auto.create.topics.enable=1')).toThrow(/true or false/)
  expect(() => configured('listeners=PLAINTEXT//x')).toThrow(/listeners.*HOST:PORT/)
  expect(() => configured('listeners=PLAINTEXT://x:99999')).toThrow(/listeners/)
  expect(() => configured('delete.topic.enable=false')).toThrow(/must be true/)
  expect(() => configured('log.dirs=/a,/b')).toThrow(/log\.dirs.*one directory/)
  expect(() => configured('advertised.listeners=PLAINTEXT://x:1')).toThrow(/needs listeners/)
  expect(() => configured('log.cleaner.min.cleanable.ratio=')).toThrow(/must be a number/)
})

test('security has Kafka’s names too', () => {
  const { options } = configured(`
listeners=SASL_SSL://0.0.0.0:9093,INTERNAL://127.0.0.1:9092
listener.security.protocol.map=INTERNAL:SASL_PLAINTEXT
ssl.keystore.location=/etc/varve/server.p12
ssl.keystore.password=secret
ssl.client.auth=requested
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.internal.sasl.enabled.mechanisms=PLAIN
super.users=User:admin;User:CN=a,O=b
allow.everyone.if.no.acl.found=false
max.connections.per.ip=7
`)
  expect(options).toEqual({
    listeners: [
      {
        ...{ name: 'SASL_SSL', protocol: 'SASL_SSL', host: '0.0.0.0', port: 9093 },
        tls: {
          ...{ pfxFile: '/etc/varve/server.p12', passphrase: 'secret' },
          clientCertificates: 'requested',
        },
        saslMechanisms: ['SCRAM-SHA-512'],
      },
      {
        ...{ name: 'INTERNAL', protocol: 'SASL_PLAINTEXT', host: '127.0.0.1', port: 9092 },
        saslMechanisms: ['PLAIN'],
      },
    ],
    superUsers: ['User:admin', 'User:CN=a,O=b'],
    accessWithoutAcls: 'deny',
    limits: { connectionsPerAddressMax: 7 },
  })
})

test('how groups are led, and how long offsets are kept, is said as to Kafka', () => {
  const { options } = configureServer(
    new Map([
      ['group.initial.rebalance.delay.ms', '0'],
      ['group.min.session.timeout.ms', '1000'],
      ['group.consumer.migration.policy', 'Upgrade'],
      ['group.max.session.timeout.ms', '60000'],
      ['offsets.retention.minutes', '5'],
      ['transactional.id.expiration.ms', '1000'],
    ]),
  )
  expect(options).toEqual({
    groupInitialRebalanceDelayMs: 0,
    groupConsumerMigrationPolicy: 'upgrade',
    groupSessionTimeoutMsMin: 1000,
    groupSessionTimeoutMsMax: 60_000,
    directoryOptions: { offsetsRetentionMs: 300_000, transactionalIdExpirationMs: 1000 },
  })
})
