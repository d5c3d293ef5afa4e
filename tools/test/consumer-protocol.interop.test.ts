import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { WireClient } from '../../packages/server/test/wire-client.ts'
import { startBroker } from '../src/kafka/kafka-broker.ts'
import { runConsumerGroupScript, type ScriptLine } from './kafka-interop/consumer-group-script.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

async function answersOf(port: number): Promise<readonly ScriptLine[]> {
  await using client = await WireClient.connect(port)
  return await runConsumerGroupScript(client)
}

async function answersOfVarve(): Promise<readonly ScriptLine[]> {
  const groups = { groupInitialRebalanceDelayMs: 0, groupConsumerAssignmentIntervalMs: 0 }
  await using server = await startServer({ memory: true, port: 0, ...groups })
  return await answersOf(server.port)
}

const settings = {
  'group.consumer.assignment.interval.ms': '0',
  'group.consumer.migration.policy': 'disabled',
  'group.initial.rebalance.delay.ms': '0',
}

describeWithKafka((release) => {
  test.skipIf(release.version.startsWith('3.'))(
    'members of the consumer protocol are answered by Varve what Kafka answers them',
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'varve-consumer-protocol-'))
      const broker = await startBroker(release, { directory: root, settings })
      try {
        const port = Number(broker.bootstrapServers.split(':')[1])
        expect(await answersOfVarve()).toEqual(await answersOf(port))
      } finally {
        await broker.kill()
        rmSync(root, { recursive: true, force: true })
      }
    },
  )
})
