import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Api, apiNamed, type Server, startServer } from '@varve/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { KafkaClient } from '../src/kafka/kafka-client.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { comparableAnswer } from './kafka-interop/comparable-answer.ts'
import {
  akhqRequests,
  consoleRequests,
  contractGroup,
  contractTopics,
  kafbatRequests,
} from './kafka-interop/interface-requests.ts'
import { WireConnection } from './kafka-interop/wire-connection.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => {
  describe('answers user interfaces as Kafka does:', () => describeInterfaces(release))
})

/** Varve has access rules always; Kafka where it is told so. */
const withAcls = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
}

/** Each request goes on where the one before has left both servers. */
function describeInterfaces(release: KafkaRelease): void {
  let root = ''
  let broker: KafkaBroker | null = null
  let server: Server | null = null
  let connections: readonly WireConnection[] = []
  let offered: readonly ReadonlyMap<number, number>[] = []

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'varve-interfaces-'))
    broker = await startBroker(release, {
      directory: join(root, 'kafka'),
      settings: withAcls,
    })
    server = await startServer({ data: join(root, 'varve'), port: 0, autoCreateTopics: false })
    const addresses = [broker.bootstrapServers, server.bootstrapServers]
    connections = await Promise.all(addresses.map((address) => WireConnection.open(address)))
    offered = await Promise.all(connections.map(newestVersions))
    await Promise.all(connections.map(makeTopics))
    await Promise.all(addresses.map((address) => sendRecords(release, address)))
  })
  afterAll(async () => {
    for (const connection of connections) connection.close()
    await server?.close()
    await broker?.kill()
    rmSync(root, { recursive: true, force: true })
  })

  describe.each([
    ['Redpanda Console', consoleRequests],
    ['kafbat', kafbatRequests],
    ['AKHQ', akhqRequests],
  ] as const)('%s', (_, requests) => {
    test.each(requests.map((each, index) => [index + 1, each.api, each.asks, each] as const))(
      '%d. %s: %s',
      async (_, __, ___, { api: name, version: newest, request }) => {
        const api: Api = apiNamed(name)
        const versions = offered.map((each) => each.get(api.key) ?? -1)
        const version = Math.min(newest, versions[0] ?? -1)
        // What its client would take of Kafka, it takes of Varve.
        expect(versions[1]).toBeGreaterThanOrEqual(version)
        const ask = async (): Promise<readonly unknown[]> => {
          const answers = await Promise.all(
            connections.map((connection) => connection.call(api, version, request as never)),
          )
          return answers.map((answer) => comparableAnswer(name, answer, answers))
        }
        let [kafka, varve] = await ask()
        // Kafka's controller tells its broker of a change a moment after it has told the client.
        const isReading = /^(?:Describe|List|Metadata)/.test(name)
        for (let tries = 0; isReading && tries < 20 && !isDeepStrictEqual(kafka, varve); tries++) {
          await new Promise((resolve) => setTimeout(resolve, 100))
          ;[kafka, varve] = await ask()
        }
        expect(varve).toEqual(kafka)
      },
    )
  })
}

/** By key. */
async function newestVersions(connection: WireConnection): Promise<ReadonlyMap<number, number>> {
  const request = { clientSoftwareName: 'contract', clientSoftwareVersion: '1' }
  const { apiKeys } = await connection.call(apiNamed('ApiVersions'), 3, request)
  return new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]))
}

async function makeTopics(connection: WireConnection): Promise<void> {
  const topics = contractTopics.map((name) => ({
    ...{ name, numPartitions: 3, replicationFactor: 1, assignments: [] },
    configs: name === 'views' ? [{ name: 'cleanup.policy', value: 'compact' }] : [],
  }))
  const answer = await connection.call(apiNamed('CreateTopics'), 7, { topics })
  expect(answer.topics.map(({ errorCode }) => errorCode)).toEqual([0, 0])
}

async function sendRecords(release: KafkaRelease, address: string): Promise<void> {
  const client = new KafkaClient(release, address)
  for (const topic of contractTopics) {
    const producer = await client.openProducer()
    const records = Array.from({ length: 10 }, (_, index) => {
      return { key: `k${index}`, value: `v${index}`, timestamp: Date.now() }
    })
    await producer.send(topic, records)
    await producer.close()
  }
  expect(await client.consumeAsGroup(contractGroup, 'orders', 10)).toBe(10)
  await client.close()
}
