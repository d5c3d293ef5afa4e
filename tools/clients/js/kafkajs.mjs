import { clientModule, isSoon, options, run, say, stopped, values } from './driving.mjs'

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } =
  clientModule('kafkajs')
CompressionCodecs[CompressionTypes.Snappy] = clientModule('kafkajs-snappy')

const kafka = new Kafka({
  clientId: options.clientId,
  brokers: [options.bootstrap],
  logLevel: logLevel.ERROR,
})
const codecs = { none: 'None', gzip: 'GZIP', snappy: 'Snappy' }

async function produce() {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const messages = values().map((value) => ({ key: value.slice(-1), value }))
  const places = await producer.send({
    topic: options.topic,
    acks: -1,
    compression: CompressionTypes[codecs[options.codec ?? 'none']],
    messages,
  })
  for (const { partition, baseOffset } of places) {
    say('sent', { partition, offset: Number(baseOffset) })
  }
  await producer.disconnect()
}

/** Sends numbered records until it is told to end; each is sent until it is acknowledged. */
async function hammer() {
  const { topic, clientId } = options
  const producer = kafka.producer({ retry: { retries: 3, maxRetryTime: 1000 } })
  await producer.connect()
  let isStopping = false
  void stopped.then(() => {
    isStopping = true
  })
  const insist = async (value) => {
    for (;;) {
      try {
        const messages = [{ key: value, value }]
        const [{ partition, baseOffset }] = await producer.send({ topic, acks: -1, messages })
        say('sent', { value, partition, offset: Number(baseOffset) })
        return
      } catch (error) {
        say('complaint', { message: String(error) })
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }
  for (let number = 0; !isStopping; number += 10) {
    const batch = Array.from({ length: 10 }, (_, index) => `${clientId}-${number + index}`)
    await Promise.all(batch.map(insist))
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  await producer.disconnect()
}

function groupConsumer() {
  return kafka.consumer({
    groupId: options.group,
    heartbeatInterval: 300,
    sessionTimeout: 10_000,
    maxWaitTimeInMs: 300,
    readUncommitted: options.isolation !== 'read_committed',
  })
}

async function member() {
  const consumer = groupConsumer()
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    say('assigned', { partitions: payload.memberAssignment[options.topic] ?? [] })
  })
  await consumer.connect()
  await consumer.subscribe({ topic: options.topic, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const { value, offset } = message
      say('record', { value: String(value), partition, offset: Number(offset) })
    },
  })
  await stopped
  await consumer.disconnect()
}

async function transact() {
  const { source: topic, target, group: consumerGroupId, count } = options
  const { transactionalId } = options
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const aborted = await producer.transaction()
  const nevers = Array.from({ length: 5 }, (_, number) => ({ value: `aborted-${number}` }))
  await aborted.send({ topic: target, messages: nevers })
  await aborted.abort()

  const messages = []
  const ends = new Map()
  const consumer = groupConsumer()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise((resolve) => {
    consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        messages.push({ value: `copy-of-${message.value}` })
        ends.set(partition, String(Number(message.offset) + 1))
        if (messages.length === count) resolve()
      },
    })
  })
  const transaction = await producer.transaction()
  await transaction.send({ topic: target, messages })
  const partitions = [...ends].map(([partition, offset]) => ({ partition, offset }))
  await transaction.sendOffsets({ consumerGroupId, topics: [{ topic, partitions }] })
  await transaction.commit()
  await producer.disconnect()
  await consumer.disconnect()
}

async function admin() {
  const client = kafka.admin()
  await client.connect()
  await topics(client)
  await groups(client)
  const { topic } = options
  await client.deleteTopics({ topics: [topic] })
  const isGone = await isSoon(async () => !(await client.listTopics()).includes(topic))
  say('step', { name: 'topicIsGone', result: isGone })
  await client.disconnect()
}

async function topics(client) {
  const { topic } = options
  const configEntries = [{ name: 'retention.ms', value: '86400000' }]
  await client.createTopics({ topics: [{ topic, numPartitions: 3, configEntries }] })
  const isListed = await isSoon(async () => (await client.listTopics()).includes(topic))
  say('step', { name: 'topicIsListed', result: isListed })
  const partitions = async () => (await client.fetchTopicOffsets(topic)).length
  say('step', { name: 'partitions', result: await partitions() })

  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  const retention = async () => {
    const request = { resources: [resource], includeSynonyms: false }
    const { resources } = await client.describeConfigs(request)
    const entries = resources[0].configEntries
    return entries.find(({ configName }) => configName === 'retention.ms').configValue
  }
  say('step', { name: 'retention', result: await retention() })
  const changed = [{ name: 'retention.ms', value: '3600000' }]
  const resources = [{ ...resource, configEntries: changed }]
  await client.alterConfigs({ validateOnly: false, resources })
  await isSoon(async () => (await retention()) === '3600000')
  say('step', { name: 'alteredRetention', result: await retention() })
  await client.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  await isSoon(async () => (await partitions()) === 5)
  say('step', { name: 'morePartitions', result: await partitions() })
}

async function groups(client) {
  const { group, source } = options
  const isListed = async () => {
    const listed = await client.listGroups()
    return listed.groups.some(({ groupId }) => groupId === group)
  }
  say('step', { name: 'groupIsListed', result: await isListed() })
  const described = await client.describeGroups([group])
  say('step', { name: 'groupState', result: described.groups[0].state })
  const [committed] = await client.fetchOffsets({ groupId: group, topics: [source] })
  const offsets = committed.partitions.map(({ offset }) => Math.max(Number(offset), 0))
  const sum = offsets.reduce((total, offset) => total + offset, 0)
  say('step', { name: 'committed', result: sum })
  await client.deleteTopicRecords({ topic: source, partitions: [{ partition: 0, offset: '1' }] })
  const ranges = await client.fetchTopicOffsets(source)
  const first = ranges.find(({ partition }) => partition === 0)
  say('step', { name: 'deletedBefore', result: Number(first.low) })
  await client.deleteGroups([group])
  say('step', { name: 'groupIsGone', result: !(await isListed()) })
}

await run({ hammer, produce, member, transact, admin })
