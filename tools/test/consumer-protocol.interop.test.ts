import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { WireClient } from '../../packages/server/test/wire-client.ts'
import { startBroker } from '../src/kafka/kafka-broker.ts'
import { runConsumerGroupScript, type ScriptLine } from './kafka-interop/consumer-group-script.ts'
import { runMigrationScript } from './kafka-interop/migration-script.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

type Ask = (client: WireClient) => Promise<readonly ScriptLine[]>

async function answersOf(port: number, ask: Ask): Promise<readonly ScriptLine[]> {
  await using client = await WireClient.connect(port)
  return await ask(client)
}

async function answersOfVarve(
  ask: Ask,
  groupConsumerMigrationPolicy: 'bidirectional' | 'disabled',
): Promise<readonly ScriptLine[]> {
  const groups = { groupInitialRebalanceDelayMs: 0, groupConsumerAssignmentIntervalMs: 0 }
  const options = { memory: true, port: 0, ...groups, groupConsumerMigrationPolicy } as const
  await using server = await startServer(options)
  return await answersOf(server.port, ask)
}

const settings = {
  'group.consumer.assignment.interval.ms': '0',
  'group.initial.rebalance.delay.ms': '0',
}

describeWithKafka((release) => {
  const isOlder = release.version.startsWith('3.')

  async function answersOfKafka(ask: Ask, policy: string): Promise<readonly ScriptLine[]> {
    const root = mkdtempSync(join(tmpdir(), 'varve-consumer-protocol-'))
    const own = { ...settings, 'group.consumer.migration.policy': policy }
    const broker = await startBroker(release, { directory: root, settings: own })
    try {
      return await answersOf(Number(broker.bootstrapServers.split(':')[1]), ask)
    } finally {
      await broker.kill()
      rmSync(root, { recursive: true, force: true })
    }
  }

  test.skipIf(isOlder)(
    'members of the consumer protocol are answered by Varve what Kafka answers them',
    async () => {
      const theirs = await answersOfKafka(runConsumerGroupScript, 'disabled')
      expect(await answersOfVarve(runConsumerGroupScript, 'disabled')).toEqual(theirs)
    },
  )

  test.skipIf(isOlder)(
    'a group that changes its protocol with members is answered what Kafka answers it',
    async () => {
      const theirs = await answersOfKafka(runMigrationScript, 'bidirectional')
      expect(await answersOfVarve(runMigrationScript, 'bidirectional')).toEqual(theirs)
    },
  )
})
