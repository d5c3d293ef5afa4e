import { mkdirSync, writeFileSync } from 'node:fs'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, holdField } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { type Payload, payloadOf } from '../harness/payload.ts'
import { appendInFlight } from '../log/append-driver.ts'
import { type BrokerProcess, startBroker } from './brokers/broker-process.ts'
import { KafkaTools } from './brokers/kafka-tools.ts'
import { natsPeer } from './brokers/nats-peer.ts'
import { redisPeer } from './brokers/redis-peer.ts'
import { varveTopic } from './brokers/varve-topic.ts'
import type { Peer, PeerStore, Promised } from './peer.ts'
import { appending, readingTwice, settingsOf } from './peer-contender.ts'

const recordBytes = 100

/** The one that Kafka's tool fills its batches with is not in records, so it stands for many. */
const producersInFlight = 8_192

interface Brokers {
  readonly context: BenchmarkContext
  readonly directory: string
  readonly payload: Payload
  readonly kafka: KafkaTools | null
  readonly streams: readonly Peer[]
  readonly conditions: Readonly<Record<string, string>>
}

export const peersBrokers: Benchmark = {
  name: 'peers-brokers',
  summary: 'what a broker on the loopback interface takes for what the library does in the process',
  run: (context) =>
    context.withDirectory(async (directory) => {
      mkdirSync(directory)
      const running: BrokerProcess[] = []
      try {
        const brokers = await startAll(context, directory, running)
        return [
          ...(await eachAcknowledged(brokers)),
          ...(await flatOut(brokers, 'flushed')),
          // Each of Kafka's tools starts a virtual machine of its own.
          ...(context.isSmoke ? [] : await flatOut(brokers, 'written')),
          ...(await consuming(brokers)),
        ]
      } finally {
        await Promise.all(running.map((broker) => broker.stop()))
      }
    }),
}

/** Whatever can't be had is left out, and the conditions say why. */
async function startAll(
  context: BenchmarkContext,
  directory: string,
  running: BrokerProcess[],
): Promise<Brokers> {
  const notes: Record<string, string> = {}
  const start = async (kind: 'kafka' | 'redis' | 'nats'): Promise<BrokerProcess | null> => {
    context.progress(`starting ${kind}`)
    const broker = await startBroker(kind, `${directory}/${kind}`)
    if (typeof broker === 'string') {
      notes[kind] = `not here: ${broker}`
      process.stderr.write(`${kind} is left out: ${broker}\n`)
      return null
    }
    running.push(broker)
    if (!broker.promises.includes('flushed')) notes[kind] = 'this version cannot flush each message'
    return broker
  }
  const [kafka, redis, nats] = [await start('kafka'), await start('redis'), await start('nats')]
  const payload = payloadOf(recordBytes, context.size(16_384, 1_024))
  writeFileSync(
    `${directory}/payload`,
    payload.records.map(({ bytes }) => bytes.toString('latin1')).join('\n'),
  )
  const streams = [
    ...(redis === null ? [] : [redisPeer(redis)]),
    ...(nats === null ? [] : [natsPeer(nats)]),
  ]
  const settings = settingsOf([varveTopic, ...streams])
  return {
    context,
    directory,
    payload,
    kafka: kafka === null ? null : new KafkaTools(kafka),
    streams,
    conditions: { payload: payload.description, ...settings, ...notes },
  }
}

/** One promise a record, by clients in this process. */
async function eachAcknowledged(brokers: Brokers): Promise<readonly Figure[]> {
  const { context, payload, streams, conditions } = brokers
  const figures: Figure[] = []
  for (const promised of ['flushed', 'written'] as const) {
    const rivals = streams.filter(({ promises }) => promises.includes(promised))
    for (const [inFlight, appends] of [
      [1, 400],
      [64, 8_000],
      [1_024, 30_000],
    ] as const) {
      const count = context.size(appends, inFlight + 16)
      const contender = (peer: Peer): Contender =>
        appending(context, peer, promised, count, (store) =>
          appendInFlight(payload, inFlight, count, (record) => store.append(record)),
        )
      figures.push(
        ...(await holdField(context, {
          name: `${inFlight} in flight, ${promised}`,
          unit: 'appends/s',
          measured: contender(varveTopic),
          rivals: rivals.map(contender),
          conditions,
        })),
      )
    }
  }
  return figures
}

/** As fast as it goes, by Kafka's own tool there and by a producer here. */
async function flatOut(brokers: Brokers, promised: Promised): Promise<readonly Figure[]> {
  const { context, directory, payload, kafka, conditions } = brokers
  if (kafka === null) return []
  const topic = `bench-${promised}`
  const count = context.size(promised === 'flushed' ? 200_000 : 800_000, 2_000)
  await kafka.createTopic(topic, promised)
  const theirs: Contender = {
    name: kafka.name,
    measure: async () => ({
      value: await kafka.produce(topic, `${directory}/payload`, count),
      // Its tools pick payloads in an order of their own, and count what they read.
      hash: null,
    }),
  }
  const ours = appending(context, varveTopic, promised, count, (store) =>
    appendInFlight(payload, producersInFlight, count, (record) => store.append(record)),
  )
  return await holdField(context, {
    name: `flat out, ${promised}`,
    unit: 'records/s',
    measured: ours,
    rivals: [theirs],
    conditions: {
      ...conditions,
      'flat out': `kafka-producer-perf-test with acks=1, linger.ms=5, batch.size=65536${promised === 'flushed' ? ', flush.messages=1' : ''}; here ${producersInFlight} sends in flight, one promise each`,
    },
  })
}

async function consuming(brokers: Brokers): Promise<readonly Figure[]> {
  const { context, directory, payload, kafka, streams, conditions } = brokers
  const count = context.size(200_000, 2_000)
  const open: { readonly store: PeerStore; readonly contender: Contender }[] = []
  for (const [index, peer] of [varveTopic, ...streams].entries()) {
    const store = await peer.open(`${directory}/read-${index}`, 'written')
    const measure = () => readingTwice(peer.name, count, (visitor) => store.readAll(visitor))
    open.push({ store, contender: { name: peer.name, measure } })
    await appendInFlight(payload, 1_000, count, (record) => store.append(record))
  }
  try {
    const [ours, ...rivals] = open.map(({ contender }) => contender)
    if (kafka !== null && !context.isSmoke) {
      await kafka.createTopic('bench-read', 'written')
      await kafka.produce('bench-read', `${directory}/payload`, count)
      rivals.push({
        name: kafka.name,
        measure: async () => ({
          value: await kafka.consume('bench-read', count),
          hash: null,
        }),
      })
    }
    return await holdField(context, {
      name: 'reading from start to end',
      unit: 'records/s',
      measured: ours as Contender,
      rivals,
      conditions,
    })
  } finally {
    for (const { store } of open) await store.close()
  }
}
