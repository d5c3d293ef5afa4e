import type { Partition } from '@varve/broker/serving'
import type { RequestTraffic } from '../base/request-traffic.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { QuotaKeeper } from '../quotas/quota-keeper.ts'
import { MetricsText } from './metrics-text.ts'
import { addQuotas } from './quota-metrics.ts'
import type { TopicCounters } from './topic-counters.ts'

/** A listener with what goes on at it. */
export interface ListenerFacts {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly connections: number
}

/** What metrics are made of. */
export interface MeasuredServer {
  readonly context: Pick<ServerContext, 'parts' | 'clock'>
  readonly traffic: RequestTraffic
  readonly topics: TopicCounters
  readonly throttling: Pick<QuotaKeeper, 'meters' | 'refusedConnections'>
  listeners(): readonly ListenerFacts[]
}

/**
 * Kafka's best known metrics, under the names that Prometheus' exporter of JMX gives them with the
 * configuration for Kafka that comes with it: dashboards and alerts for Kafka find what they ask
 * for. What a single node cannot have, as replicas that lag, is there and says 0.
 */
export function kafkaMetrics(server: MeasuredServer): string {
  const text = new MetricsText()
  addTopics(text, server)
  addRequests(text, server)
  addConnections(text, server.listeners())
  addQuotas(text, server.throttling, server.context.clock.monotonic())
  addPartitions(text, server.context)
  return text.toString()
}

function addTopics(text: MetricsText, { topics, traffic }: MeasuredServer): void {
  const counts = [...topics.topics]
  const perTopic = (of: (count: { records: number; bytes: number }) => number) => {
    const all = counts.reduce((sum, [, count]) => sum + of(count), 0)
    const each = counts.map(([topic, count]) => [{ topic }, of(count)] as const)
    return [[{}, all] as const, ...each]
  }
  const name = (what: string): string => `kafka_server_brokertopicmetrics_${what}_total`
  const messages = perTopic(({ records }) => records)
  text.family('counter', name('messagesin'), 'Records appended, in all and by topic.', messages)
  const bytes = perTopic((count) => count.bytes)
  text.family('counter', name('bytesin'), 'Bytes of batches appended.', bytes)
  const fetched = traffic.apis.get('Fetch')
  const produced = traffic.apis.get('Produce')
  text.single('counter', name('bytesout'), 'Bytes answered to Fetch.', fetched?.responseBytes ?? 0)
  text.single('counter', name('totalfetchrequests'), 'Fetch requests.', fetched?.requests ?? 0)
  text.single('counter', name('totalproducerequests'), 'Produce requests.', produced?.requests ?? 0)
}

const quantiles = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999] as const

function addRequests(text: MetricsText, { traffic, context }: MeasuredServer): void {
  const apis = [...traffic.apis]
  const nowMs = context.clock.monotonic()
  const name = (what: string): string => `kafka_network_requestmetrics_${what}`
  text.family(
    ...(['counter', name('requests_total'), 'Requests answered, by API and version.'] as const),
    apis.flatMap(([request, { versions }]) => {
      return [...versions].map(([version, count]) => [{ request, version }, count] as const)
    }),
  )
  text.family(
    ...(['gauge', name('totaltimems'), 'Time to the answer, of the last minutes.'] as const),
    apis.flatMap(([request, api]) => {
      return quantiles.map(
        (part) => [{ request, quantile: part }, api.quantile(part, nowMs)] as const,
      )
    }),
  )
  const sums = (of: (api: (typeof apis)[number][1]) => number) =>
    apis.map(([request, api]) => [{ request }, of(api)] as const)
  text.family(
    ...(['counter', name('totaltimems_count'), 'Requests that were timed.'] as const),
    sums(({ requests }) => requests),
  )
  text.family(
    ...(['counter', name('totaltimems_sum'), 'Time to all answers, in ms.'] as const),
    sums(({ totalMs }) => totalMs),
  )
  text.family(
    ...(['counter', name('requestbytes_total'), 'Bytes of requests.'] as const),
    sums(({ requestBytes }) => requestBytes),
  )
  text.family(
    ...(['counter', name('responsebytes_total'), 'Bytes of answers.'] as const),
    sums(({ responseBytes }) => responseBytes),
  )
}

function addConnections(text: MetricsText, listeners: readonly ListenerFacts[]): void {
  text.family(
    ...(['gauge', 'kafka_server_socket_server_metrics_connection_count'] as const),
    'Connections that are open, by listener.',
    listeners.map(({ name, connections }) => [{ listener: name }, connections]),
  )
}

function addPartitions(text: MetricsText, { parts }: MeasuredServer['context']): void {
  const { all } = parts.topics
  const partitions = all.flatMap((topic) => [...topic.partitions])
  const offline = partitions.filter(({ isUsable }) => !isUsable).length
  const gauge = (name: string, help: string, value: number): void =>
    text.single('gauge', name, help, value)
  gauge('kafka_server_replicamanager_partitioncount', 'Partitions.', partitions.length)
  gauge('kafka_server_replicamanager_leadercount', 'Usable ones.', partitions.length - offline)
  gauge('kafka_server_replicamanager_underreplicatedpartitions', 'None: there is one copy.', 0)
  gauge('kafka_server_replicamanager_offlinereplicacount', 'Partitions that failed.', offline)
  gauge('kafka_controller_kafkacontroller_activecontrollercount', 'This one.', 1)
  gauge('kafka_controller_kafkacontroller_activebrokercount', 'This one.', 1)
  gauge('kafka_controller_kafkacontroller_offlinepartitionscount', 'Not usable.', offline)
  gauge('kafka_controller_kafkacontroller_globaltopiccount', 'Topics.', all.length)
  gauge('kafka_controller_kafkacontroller_globalpartitioncount', 'Partitions.', partitions.length)
  addLogs(text, partitions)
}

function addLogs(text: MetricsText, partitions: readonly Partition[]): void {
  const logs = partitions.flatMap(({ topic, partition, openLog }) => {
    if (openLog === null) return []
    const segments = openLog.segments()
    const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    return [{ labels: { topic, partition }, log: openLog, segments: segments.length, sizeBytes }]
  })
  const gauge = (what: string, help: string, of: (log: (typeof logs)[number]) => number): void => {
    const series = logs.map((log) => [log.labels, of(log)] as const)
    text.family('gauge', `kafka_log_log_${what}`, help, series)
  }
  gauge('size', 'Bytes of a partition.', ({ sizeBytes }) => sizeBytes)
  gauge('numlogsegments', 'Its segments.', ({ segments }) => segments)
  gauge('logstartoffset', 'Its first offset.', ({ log }) => log.logStartOffset)
  gauge('logendoffset', 'What its next record gets.', ({ log }) => log.logEndOffset)
}
