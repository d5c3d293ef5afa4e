import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataDirectory, readVarve } from '@varve/broker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runJava } from '../src/kafka/java-command.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { KafkaClient } from '../src/kafka/kafka-client.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

const topic = 'orders'
const records = 20
const timeoutMs = 60_000

describeWithKafka((release) => {
  describe("keeps a group's offsets with Varve:", () => describeGroups(release))
})

/** Each test goes on where the one before has left the directory. */
function describeGroups(release: KafkaRelease): void {
  let root = ''
  let broker: KafkaBroker | null = null
  const data = (): string => join(root, 'data')

  const start = async (): Promise<KafkaBroker> => {
    broker = await startBroker(release, { directory: root })
    return broker
  }
  const stop = async (): Promise<void> => {
    await broker?.stop()
    broker = null
  }

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'varve-groups-'))
    const { bootstrapServers } = await start()
    const client = new KafkaClient(release, bootstrapServers)
    await client.createTopic(topic)
    const producer = await client.openProducer()
    const values = Array.from({ length: records }, (_, index) => `v${index}`)
    await producer.send(
      topic,
      values.map((value, index) => ({ value, timestamp: 1_000_000 + index })),
    )
    await producer.close()
    await client.close()
    expect(await consumeByConsole(release, broker, 'billing', 7)).toEqual(offsets(0, 7))
    expect(await consumeByConsole(release, broker, 'audit', 3)).toEqual(offsets(0, 3))
  })
  afterAll(async () => {
    await broker?.kill()
    rmSync(root, { recursive: true, force: true })
  })

  test('what the console consumer committed is read beside the live broker', async () => {
    await using reader = await readVarve(data())
    await using groups = await reader.groups()
    expect(groups.group('billing').offsets).toMatchObject([{ topic, partition: 0, offset: 7 }])
    const consumer = reader.consumer({ group: 'billing', topics: [topic], follow: false })
    expect((await consumer.next()).value?.offset).toBe(7)
  })

  test('Varve lists the groups, describes them, and goes on at exactly their offsets', async () => {
    await stop()
    await using varve = await openDataDirectory(data(), { cleaning: false })
    const groups = await varve.groups()
    expect(await groups.list()).toEqual(['audit', 'billing'])
    const description = await groups.describe('billing')
    expect(description).toMatchObject({
      group: 'billing',
      state: 'Empty',
      offsets: [{ topic, partition: 0, offset: 7 }],
    })
    const consumer = varve.consumer({ group: 'billing', topics: [topic] })
    const found: number[] = []
    for await (const record of consumer) {
      found.push(record.offset)
      await consumer.commit(record)
      if (record.offset === 11) break
    }
    expect(found).toEqual(offsets(7, 12))
  })

  test("kafka-consumer-groups agrees, and the broker's consumers go on there", async () => {
    const running = await start()
    expect(await describeByKafka(release, running, 'billing')).toEqual({
      current: 12,
      end: records,
      lag: records - 12,
    })
    expect(await describeByKafka(release, running, 'audit')).toMatchObject({ current: 3 })
    expect(await consumeByConsole(release, running, 'billing', 5)).toEqual(offsets(12, 17))
    await stop()
  })

  test('and back again, with a commit in a transaction', async () => {
    {
      await using varve = await openDataDirectory(data(), { cleaning: false })
      const consumer = varve.consumer({ group: 'billing', topics: [topic] })
      expect((await consumer.next()).value?.offset).toBe(17)
      await consumer.close()
      const producer = varve.producer({ transactionalId: 'mover' })
      await producer.transaction(async (transaction) => {
        await transaction.sendOffsets('billing', [{ topic, partition: 0, offset: 19 }])
      })
    }
    const running = await start()
    expect(await describeByKafka(release, running, 'billing')).toMatchObject({ current: 19 })
    expect(await consumeByConsole(release, running, 'billing', 1)).toEqual([19])
  })
}

function offsets(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

/** Offsets of the next so many records of a group; the console consumer commits behind them. */
async function consumeByConsole(
  release: KafkaRelease,
  broker: KafkaBroker | null,
  group: string,
  count: number,
): Promise<number[]> {
  const { stdout, stderr, exitCode } = await runJava(
    release,
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    [
      ...['--bootstrap-server', broker?.bootstrapServers ?? '', '--topic', topic],
      ...['--group', group, '--from-beginning', '--max-messages', String(count)],
      ...['--timeout-ms', '30000', '--formatter', 'JsonLinesFormatter'],
    ],
    { timeoutMs },
  )
  expect([exitCode, stderr.includes('Exception')], stderr).toEqual([0, false])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => (JSON.parse(line) as { offset: number }).offset)
}

/** What kafka-consumer-groups says of a group in its one partition. */
async function describeByKafka(
  release: KafkaRelease,
  { bootstrapServers }: KafkaBroker,
  group: string,
): Promise<{ current: number; end: number; lag: number }> {
  const { stdout, stderr } = await runJava(
    release,
    'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
    ['--bootstrap-server', bootstrapServers, '--describe', '--group', group],
    { timeoutMs },
  )
  // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG …; later releases have more columns.
  const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/))
  const header = lines.find(([first]) => first === 'GROUP') ?? []
  const row = lines.find((cells) => cells[0] === group && cells[1] === topic)
  expect(row, `${stdout}${stderr}`).toBeDefined()
  const cell = (name: string): number => Number(row?.[header.indexOf(name)])
  return { current: cell('CURRENT-OFFSET'), end: cell('LOG-END-OFFSET'), lag: cell('LAG') }
}
