import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server, startServer } from '@varve/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { KafkaTools } from '../src/kafka/kafka-tools.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => {
  describe("administers Varve with Kafka's own tools as it does Kafka:", () => {
    describeTools(release)
  })
})

/** Main classes of tools that moved between the releases. */
const moved = {
  '3.9': { versions: 'kafka.admin.BrokerApiVersionsCommand' },
  '4': { versions: 'org.apache.kafka.tools.BrokerApiVersionsCommand' },
} as const

const topics = 'org.apache.kafka.tools.TopicCommand'
const configs = 'kafka.admin.ConfigCommand'

/** Settings that Kafka 4 does not know any more, and one whose default it has changed. */
const older: ReadonlySet<string> = new Set([
  'message.downconversion.enable',
  'message.format.version',
  'message.timestamp.difference.max.ms',
  'message.timestamp.after.max.ms',
])

/** Each test goes on where the one before has left both servers. */
function describeTools(release: KafkaRelease): void {
  let root = ''
  let broker: KafkaBroker | null = null
  let server: Server | null = null
  let tools: readonly KafkaTools[] = []

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'varve-admin-'))
    broker = await startBroker(release, { directory: join(root, 'kafka') })
    server = await startServer({ data: join(root, 'varve'), port: 0 })
    tools = [new KafkaTools(release), new KafkaTools(release)]
  })
  afterAll(async () => {
    await Promise.all(tools.map((tool) => tool.close()))
    await server?.close()
    await broker?.kill()
    rmSync(root, { recursive: true, force: true })
  })

  /** What a tool prints of Kafka and of Varve, without what is different everywhere. */
  async function both(main: string, ...args: string[]): Promise<readonly [string, string]> {
    const addresses = [broker?.bootstrapServers ?? '', server?.bootstrapServers ?? '']
    const [kafka = '', varve = ''] = await Promise.all(
      addresses.map(async (address, index) => {
        const all = ['--bootstrap-server', address, ...args]
        // These want their verb first.
        if (/ClusterTool$/.test(main)) all.push(...all.splice(0, 2))
        const result = await tools[index]?.run(main, all)
        const directory = join(root, index === 0 ? 'kafka/data' : 'varve')
        return `${result?.status}\n${plain(result?.printed ?? '', directory)}`
      }),
    )
    return [kafka, varve]
  }

  /** Kafka's controller tells its broker of a change a moment after it has told the client. */
  async function whenKafkaKnows(
    ask: () => Promise<readonly [string, string]>,
    isSame: (kafka: string, varve: string) => boolean,
  ): Promise<readonly [string, string]> {
    for (let tries = 0; ; tries++) {
      const [kafka, varve] = await ask()
      if (tries === 20 || isSame(kafka, varve)) return [kafka, varve]
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  async function expectSame(main: string, ...args: string[]): Promise<string> {
    const isReading = args.some((arg) => ['--describe', '--list', '--verify'].includes(arg))
    const ask = (): Promise<readonly [string, string]> => both(main, ...args)
    const same = (one: string, other: string): boolean => one === other
    const [kafka, varve] = await (isReading ? whenKafkaKnows(ask, same) : ask())
    expect(varve).toBe(kafka)
    return varve
  }

  test('topics are made, described, grown and listed', async () => {
    const given = ['--config', 'retention.ms=1000000', '--config', 'min.insync.replicas=1']
    const made = ['--partitions', '3', '--replication-factor', '1', ...given]
    await expectSame(topics, '--create', '--topic', 'orders', ...made)
    await expectSame(topics, '--create', '--topic', 'orders', '--if-not-exists')
    await expectSame(topics, '--create', '--topic', 'orders')
    await expectSame(topics, '--create', '--topic', 'wrong', '--config', 'retention.ms=never')
    await expectSame(topics, '--create', '--topic', 'usual')
    await expectSame(topics, '--create', '--topic', 'one', '--partitions', '1')
    expect(await expectSame(topics, '--list')).toContain('orders')
    expect(await expectSame(topics, '--describe', '--topic', 'orders')).toContain('retention.ms')
    await expectSame(topics, '--alter', '--topic', 'orders', '--partitions', '5')
    await expectSame(topics, '--alter', '--topic', 'orders', '--partitions', '2')
    await expectSame(topics, '--alter', '--topic', 'nope', '--partitions', '2')
    await expectSame(topics, '--describe')
    await expectSame(topics, '--describe', '--under-replicated-partitions')
    // Kafka 4 counts what it sets for all brokers.
    const [, overrides] = await both(topics, '--describe', '--topics-with-overrides')
    expect(overrides).toMatch(/^0\n(?!.*Topic: usual).*Topic: orders/s)
  })

  test('settings of topics are altered and described', async () => {
    const orders = ['--entity-type', 'topics', '--entity-name', 'orders']
    const added = 'retention.ms=5000,cleanup.policy=[compact,delete],segment.bytes=2000000'
    await expectSame(configs, ...orders, '--alter', '--add-config', added)
    expect(await expectSame(configs, ...orders, '--describe')).toContain('segment.bytes=2000000')
    const removed = 'retention.ms,min.insync.replicas'
    await expectSame(configs, ...orders, '--alter', '--delete-config', removed)
    await expectSame(configs, ...orders, '--describe')
    await expectSame(configs, ...orders, '--alter', '--add-config', 'nonsense=1')
    await expectSame(configs, ...orders, '--alter', '--add-config', 'retention.ms=never')
    const [kafka, varve] = await both(configs, ...orders, '--describe', '--all')
    const expected = Object.entries(knownValues(kafka, kafka)).filter(([name]) => !older.has(name))
    expect(expected.length).toBeGreaterThan(25)
    expect(knownValues(varve, kafka)).toMatchObject(Object.fromEntries(expected))
  })

  test('settings of the broker are altered and described', async () => {
    for (const which of [['--entity-name', '1'], ['--entity-default']]) {
      const brokers = ['--entity-type', 'brokers', ...which]
      await expectSame(configs, ...brokers, '--alter', '--add-config', 'log.retention.ms=99999')
      const ask = (): Promise<readonly [string, string]> => both(configs, ...brokers, '--describe')
      const [kafka, varve] = await whenKafkaKnows(ask, (text) => text.includes('ms=99999'))
      expect(varve).toContain('log.retention.ms=99999')
      expect(knownValues(varve, varve)).toEqual(knownValues(kafka, varve))
      await expectSame(configs, ...brokers, '--alter', '--delete-config', 'log.retention.ms')
    }
    const fixed = ['--entity-type', 'brokers', '--entity-name', '1', '--alter', '--add-config']
    await expectSame(configs, ...fixed, 'num.partitions=5')
  })

  test('quotas of clients are set and told', async () => {
    const quotas = 'producer_byte_rate=1024,consumer_byte_rate=2048'
    for (const entity of [
      ['--entity-type', 'users', '--entity-name', 'alice'],
      ['--entity-type', 'users', '--entity-default'],
      ['--entity-type', 'clients', '--entity-name', 'c1'],
      ['--entity-type', 'clients', '--entity-default'],
    ]) {
      await expectSame(configs, ...entity, '--alter', '--add-config', quotas)
      expect(await expectSame(configs, ...entity, '--describe')).toContain('1024')
      await expectSame(configs, ...entity, '--alter', '--delete-config', 'producer_byte_rate')
      await expectSame(configs, ...entity, '--describe')
    }
  })

  test('records are sent, counted and deleted', async () => {
    const performance = 'org.apache.kafka.tools.ProducerPerformance'
    for (const [index, each] of [broker, server].entries()) {
      const properties = `bootstrap.servers=${each?.bootstrapServers}`
      const load = ['--num-records', '100', '--record-size', '10', '--throughput', '-1']
      const args = ['--topic', 'one', ...load, '--producer-props', properties]
      expect((await tools[index]?.run(performance, args))?.status).toBe(0)
    }
    const offsets = 'org.apache.kafka.tools.GetOffsetShell'
    expect(await expectSame(offsets, '--topic', 'one')).toContain('one:0:100')
    const path = join(root, 'delete.json')
    const partitions = [{ topic: 'one', partition: 0, offset: 40 }]
    writeFileSync(path, JSON.stringify({ partitions, version: 1 }))
    const deletion = 'org.apache.kafka.tools.DeleteRecordsCommand'
    expect(await expectSame(deletion, '--offset-json-file', path)).toContain('low_watermark: 40')
    await expectSame(offsets, '--topic', 'one', '--time', 'earliest')
    await expectSame(offsets, '--topic', 'one', '--time', '-1')
    const directories = 'org.apache.kafka.tools.LogDirsCommand'
    await expectSame(directories, '--describe', '--topic-list', 'orders,usual,nope')
  })

  test('leaders and replicas are where they can be', async () => {
    const election = 'org.apache.kafka.tools.LeaderElectionCommand'
    const preferred = ['--election-type', 'preferred']
    await expectSame(election, ...preferred, '--all-topic-partitions')
    await expectSame(election, ...preferred, '--topic', 'orders', '--partition', '0')
    const reassignment = 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand'
    const path = join(root, 'reassign.json')
    const partitions = [{ topic: 'orders', partition: 0, replicas: [1], log_dirs: ['any'] }]
    writeFileSync(path, JSON.stringify({ version: 1, partitions }))
    const file = ['--reassignment-json-file', path]
    await expectSame(reassignment, ...file, '--execute', '--throttle', '1000000')
    await expectSame(reassignment, ...file, '--verify')
    await expectSame(reassignment, '--list')
  })

  test('the cluster is named, and tells what it offers', async () => {
    const [kafka, varve] = await both('org.apache.kafka.tools.ClusterTool', 'cluster-id')
    expect(varve.replace(/: \S+/, '')).toBe(kafka.replace(/: \S+/, ''))
    const [, versions] = await both(moved[release.line].versions)
    expect(versions).toMatch(/^0\n/)
    expect(versions).toContain('CreateTopics(19): 0 to 7')
    const quorum = 'org.apache.kafka.tools.MetadataQuorumCommand'
    const [kafkas, varves] = await both(quorum, 'describe', '--status')
    const said = (text: string, name: string) => new RegExp(`^${name}: *(.*)$`, 'm').exec(text)?.[1]
    expect(said(kafkas, 'LeaderId')).toBe('1')
    for (const name of ['LeaderId', 'LeaderEpoch', 'MaxFollowerLag', 'MaxFollowerLagTimeMs']) {
      expect(said(varves, name), varves).toBe(said(kafkas, name))
    }
    const [kafkaReplicas, replicas] = await both(quorum, 'describe', '--replication')
    const words = (text: string) => text.split('\n').map((line) => line.trim().split(/\s+/).length)
    expect(words(replicas), replicas).toEqual(words(kafkaReplicas))
    const [, features] = await both('org.apache.kafka.tools.FeatureCommand', 'describe')
    expect(features).toMatch(/^0\n/)
    await expectSame('org.apache.kafka.tools.ClientMetricsCommand', '--list')
  })

  test('topics are deleted', async () => {
    await expectSame(topics, '--delete', '--topic', 'orders')
    await expectSame(topics, '--delete', '--topic', 'orders')
    expect(await expectSame(topics, '--list')).not.toContain('orders')
  })
}

/** What is printed, but for ids, paths, times, sentences of errors, and the order of lines. */
function plain(printed: string, directory: string): string {
  const lines = printed
    .replaceAll(directory, 'DIRECTORY')
    .split('\n')
    .filter((line) => !/^\s+at |^Caused by|^\s*\.\.\. \d+ more|^ToolDriver|^null$/.test(line))
    .map((line) => {
      const error = /errors\.(\w+Exception)/.exec(line)?.[1]
      if (error !== undefined) return error
      return (
        line
          .replace(/^(?:Error while executing topic command|\[[-0-9 :,]+\] ERROR).*$/, 'ERROR')
          .replace(/TopicId: \S+/, 'TopicId')
          .replace(/127\.0\.0\.1:\d+/, 'ADDRESS')
          .replace(/synonyms=.*$/, '')
          // Kafka 4 sets it for all brokers when it is formatted, and topics are told to have it.
          .replace(/min\.insync\.replicas=1,?/, '')
      )
    })
  return [...new Set(lines.map((line) => line.trim()))].sort().join('\n')
}

/** Values of the settings that both have. */
function knownValues(text: string, other: string): Readonly<Record<string, string>> {
  const values = (printed: string): Map<string, string> =>
    new Map(
      [...printed.matchAll(/^([a-z.]+)=(.*?) sensitive=/gm)].map((found) => {
        return [found[1] ?? '', found[2] ?? '']
      }),
    )
  const known = values(other)
  return Object.fromEntries([...values(text)].filter(([name]) => known.has(name)))
}
