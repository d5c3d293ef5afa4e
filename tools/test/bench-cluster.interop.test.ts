import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openVarve } from '@varve/broker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunReport } from '../../packages/bench/src/index.ts'
import { run } from '../../packages/cli/test/captured-io.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => describeRuns(release))

function describeRuns(release: KafkaRelease): void {
  const directory = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  let broker: KafkaBroker
  let address = ''

  beforeAll(async () => {
    broker = await startBroker(release, { directory })
    address = `kafka://${broker.bootstrapServers}`
  })
  afterAll(async () => {
    await broker?.kill()
    rmSync(directory, { recursive: true, force: true })
  })

  /** Topics that are left on the cluster, but for Kafka's own. */
  const topicsLeft = async (): Promise<readonly string[]> => {
    await using varve = await openVarve(address)
    return (await varve.listTopics()).filter((name) => !name.startsWith('__'))
  }

  const bench = async (workload: string, ...argv: readonly string[]): Promise<RunReport> => {
    const shared = ['--data', address, '--warmup', '0', '--record-size', '100', '--json']
    const { code, err, stdout } = await run('bench', workload, ...shared, ...argv)
    expect(err).not.toContain('varve:')
    expect(code).toBe(0)
    return stdout.documents[0] as RunReport
  }

  test.each(['0', '1', 'all'])('a run produces records with acks=%s', async (acks) => {
    const argv = ['--records', '2000', '--partitions', '4', '--keys', 'zipf', '--acks', acks]
    const { measurements, conditions, notes } = await bench('produce', ...argv)
    expect(measurements).toMatchObject([{ records: 2000, latencyKind: 'service', engine: null }])
    expect(conditions).toMatchObject({ on: 'a Kafka cluster', partitions: 4 })
    expect(notes.join()).toContain('replicas that are in sync')
    expect(await topicsLeft()).toEqual([])
  })

  test('a run at a rate tells latencies from when records were due', async () => {
    const { measurements } = await bench('produce', '--records', '500', '--rates', '1000,2000')
    expect(measurements).toMatchObject([
      { rate: 1000, records: 500, latencyKind: 'intended' },
      { rate: 2000, records: 500, latencyKind: 'intended' },
    ])
  })

  test('a run consumes what it has produced, by itself and as a group', async () => {
    const argv = ['--records', '3000', '--partitions', '3', '--consumers', '2']
    const { measurements } = await bench('consume', ...argv)
    expect(measurements).toMatchObject([{ records: 3000, payloadBytes: 300_000 }])
    const grouped = await bench('consume', ...argv, '--group', 'bench')
    expect(grouped.measurements).toMatchObject([{ records: 3000 }])
    expect(await topicsLeft()).toEqual([])
  })

  test.each([['--warmup=0'], ['--other-process']])(
    'a run from end to end sees every record (%s)',
    async (option) => {
      const { measurements } = await bench('end-to-end', '--records', '300', '--rate=300', option)
      expect(measurements).toMatchObject([{ records: 300, latencyKind: 'end-to-end' }])
      expect(measurements[0]?.latency?.count).toBe(300)
      expect(await topicsLeft()).toEqual([])
    },
  )

  test('a topic that is there is written to only when that is said, and then stays', async () => {
    {
      await using varve = await openVarve(address)
      await varve.createTopic('orders', { partitions: 2 })
    }
    const argv = ['bench', 'produce', '--data', address, '--topic', 'orders', '--records', '50']
    const refused = await run(...argv)
    expect(refused.code).toBe(3)
    expect(refused.err).toContain('the topic orders exists')
    expect((await run(...argv, '--warmup', '0', '--existing')).code).toBe(0)
    const { measurements } = await bench('consume', '--topic', 'orders')
    expect(measurements).toMatchObject([{ records: 50 }])
    expect(await topicsLeft()).toEqual(['orders'])
  })
}
