// Confluent's client for JavaScript, which is librdkafka behind the interface of kafkajs.

import { clientModule, isSoon, options, run, say, stopped, values } from './driving.mjs'

const { Kafka, logLevel } = clientModule('@confluentinc/kafka-javascript').KafkaJS

const { bootstrap, clientId } = options
const kafka = new Kafka({ kafkaJS: { clientId, brokers: [bootstrap], logLevel: logLevel.ERROR } })

async function produce() {
  const { topic, codec = 'none' } = options
  const producer = kafka.producer({
    kafkaJS: { idempotent: true, acks: -1 },
    'compression.codec': codec,
  })
  await producer.connect()
  const messages = values().map((value) => ({ key: value.slice(-1), value }))
  const places = await producer.send({ topic, messages })
  for (const { partition, baseOffset } of places) {
    say('sent', { partition, offset: Number(baseOffset) })
  }
  await producer.disconnect()
}

function groupConsumer(settings = {}) {
  const { group: groupId, isolation, protocol } = options
  return kafka.consumer({
    ...(protocol !== undefined && { 'group.protocol': protocol }),
    kafkaJS: {
      ...{ groupId, fromBeginning: true, autoCommit: false },
      ...(protocol === undefined && { heartbeatInterval: 300, sessionTimeout: 10_000 }),
      readUncommitted: isolation !== 'read_committed',
    },
    ...settings,
  })
}

async function member() {
  const { topic } = options
  const held = new Set()
  const consumer = groupConsumer({
    rebalance_cb: (error, changed) => {
      const isGain = error.code === -175
      // Who divides by itself is told everything anew.
      if (isGain && options.protocol === undefined) held.clear()
      for (const { partition } of changed) {
        if (isGain) held.add(partition)
        else held.delete(partition)
      }
      if (isGain || options.protocol !== undefined)
        say('assigned', { partitions: [...held].sort() })
    },
  })
  await consumer.connect()
  await consumer.subscribe({ topic })
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const { value, offset } = message
      say('record', { value: String(value), partition, offset: Number(offset) })
      await consumer.commitOffsets([{ topic, partition, offset: String(Number(offset) + 1) }])
    },
  })
  await stopped
  await consumer.disconnect()
}

async function transact() {
  const { source: topic, target, transactionalId, count } = options
  const producer = kafka.producer({ kafkaJS: { transactionalId } })
  await producer.connect()
  const aborted = await producer.transaction()
  const nevers = Array.from({ length: 5 }, (_, number) => ({ value: `aborted-${number}` }))
  await aborted.send({ topic: target, messages: nevers })
  await aborted.abort()

  const messages = []
  const ends = new Map()
  const consumer = groupConsumer()
  await consumer.connect()
  await consumer.subscribe({ topic })
  await new Promise((resolve) => {
    consumer.run({
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
  await transaction.sendOffsets({ consumer, topics: [{ topic, partitions }] })
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

/** This client has no calls for settings and for more partitions. */
async function topics(client) {
  const { topic } = options
  const configEntries = [{ name: 'retention.ms', value: '86400000' }]
  await client.createTopics({ topics: [{ topic, numPartitions: 3, configEntries }] })
  const isListed = await isSoon(async () => (await client.listTopics()).includes(topic))
  say('step', { name: 'topicIsListed', result: isListed })
  const [described] = await client.fetchTopicMetadata({ topics: [topic] })
  say('step', { name: 'partitions', result: described.partitions.length })
}

async function groups(client) {
  const { group, source } = options
  const isListed = async () => {
    const listed = await client.listGroups()
    return listed.groups.some(({ groupId }) => groupId === group)
  }
  say('step', { name: 'groupIsListed', result: await isListed() })
  const described = await client.describeGroups([group])
  const states = ['Unknown', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty']
  say('step', { name: 'groupState', result: states[described.groups[0].state] })
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

await run({ produce, member, transact, admin })
