import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { WireClient } from '../../packages/server/test/wire-client.ts'
import { startBroker } from '../src/kafka/kafka-broker.ts'
import { KafkaClient } from '../src/kafka/kafka-client.ts'
import { runTransactionScript, type ScriptLine } from './kafka-interop/transaction-script.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

async function answersOf(port: number): Promise<readonly ScriptLine[]> {
  await using client = await WireClient.connect(port)
  return await runTransactionScript(client)
}

async function answersOfVarve(): Promise<readonly ScriptLine[]> {
  await using server = await startServer({ memory: true, port: 0 })
  await server.varve.createTopic('t')
  return await answersOf(server.port)
}

/** Of a group that is not there: the coordinator of Kafka 4 says what Varve's says. */
function asSinceKafka4(line: ScriptLine): ScriptLine {
  return line.replace('a stranger: UNKNOWN_MEMBER_ID', 'a stranger: ILLEGAL_GENERATION')
}

describeWithKafka((release) => {
  test('a transactional producer is answered by Varve what Kafka answers it', async () => {
    const root = mkdtempSync(join(tmpdir(), 'varve-transaction-codes-'))
    const broker = await startBroker(release, { directory: root })
    try {
      const client = new KafkaClient(release, broker.bootstrapServers)
      await client.createTopic('t')
      await client.close()
      const port = Number(broker.bootstrapServers.split(':')[1])
      const kafkas = (await answersOf(port)).map(asSinceKafka4)
      expect(await answersOfVarve()).toEqual(kafkas)
    } finally {
      await broker.kill()
      rmSync(root, { recursive: true, force: true })
    }
  })
})
