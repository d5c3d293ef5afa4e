import { expect, test } from 'vitest'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'
import { ask } from './http-client.ts'

test("what dashboards for Kafka ask for is there under Kafka's names", async () => {
  await using server = await startTestServer({ http: { port: 0 } })
  await server.varve.createTopic('orders', { partitions: 2 })
  await server.varve.log('orders', 1).append({ value: 'x' })
  await using client = await WireClient.connect(server.port)
  await client.call(metadata, 5, { topics: null })
  const { text } = await ask(server.httpAddress ?? '', '/metrics')
  for (const line of [
    'kafka_server_brokertopicmetrics_messagesin_total 1',
    'kafka_server_brokertopicmetrics_messagesin_total{topic="orders"} 1',
    'kafka_network_requestmetrics_requests_total{request="Metadata",version="5"} 1',
    'kafka_server_socket_server_metrics_connection_count{listener="PLAINTEXT"} 1',
    'kafka_server_replicamanager_partitioncount 2',
    'kafka_controller_kafkacontroller_activecontrollercount 1',
    'kafka_controller_kafkacontroller_offlinepartitionscount 0',
    'kafka_log_log_logendoffset{topic="orders",partition="1"} 1',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
  expect(text).toMatch(
    /requestmetrics_totaltimems\{request="Metadata",quantile="0\.99"\} [0-9.]+\n/,
  )
  expect(text).toMatch(/brokertopicmetrics_bytesin_total\{topic="orders"\} [1-9]\d+\n/)
  const types = text.split('\n').filter((line) => line.startsWith('# TYPE'))
  expect(new Set(types).size).toBe(types.length)
})
