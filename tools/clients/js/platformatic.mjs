import { clientModule, isSoon, options, run, say, stopped, values } from './driving.mjs'

const { Admin, Consumer, Producer, ListOffsetTimestamps, stringDeserializers, stringSerializers } =
  clientModule('@platformatic/kafka')

const connection = { clientId: options.clientId, bootstrapBrokers: [options.bootstrap] }
const consuming = {
  deserializers: stringDeserializers,
  sessionTimeout: 10_000,
  heartbeatInterval: 300,
  rebalanceTimeout: 10_000,
  maxWaitTime: 300,
}

async function produce() {
  const { topic, codec = 'none' } = options
  const producer = new Producer({
    ...{ ...connection, serializers: stringSerializers, idempotent: true },
    ...{ compression: codec, autocreateTopics: true },
  })
  const messages = values().map((value) => ({ topic, key: value.slice(-1), value }))
  const { offsets } = await producer.send({ messages })
  for (const { partition, offset } of offsets) say('sent', { partition, offset: Number(offset) })
  await producer.close()
}

async function member() {
  const { topic, group, isolation } = options
  const consumer = new Consumer({
    ...{ ...connection, ...consuming, groupId: group },
    isolationLevel: isolation === 'read_committed' ? 1 : 0,
  })
  const announce = () => {
    const partitions = (consumer.assignments ?? []).flatMap((assigned) => assigned.partitions)
    say('assigned', { partitions })
  }
  consumer.on('consumer:group:join', announce)
  const stream = await consumer.consume({
    ...{ topics: [topic], autocommit: false },
    ...{ mode: 'committed', fallbackMode: 'earliest' },
  })
  const committing = []
  stream.on('data', (message) => {
    const { value, partition, offset } = message
    say('record', { value, partition, offset: Number(offset) })
    committing.push(message.commit())
  })
  stream.on('error', (error) => say('error', { message: String(error) }))
  await stopped
  await Promise.allSettled(committing)
  await stream.close()
  await consumer.close(true)
}

async function transact() {
  const { source, target, group, transactionalId, count } = options
  const producer = new Producer({
    ...{ ...connection, serializers: stringSerializers },
    ...{ idempotent: true, transactionalId, autocreateTopics: true },
  })
  const aborted = await producer.beginTransaction()
  const nevers = Array.from({ length: 5 }, (_, number) => `aborted-${number}`)
  await aborted.send({ messages: nevers.map((value) => ({ topic: target, value })) })
  await aborted.abort()

  const consumer = new Consumer({ ...connection, ...consuming, groupId: group })
  const stream = await consumer.consume({
    ...{ topics: [source], autocommit: false },
    ...{ mode: 'committed', fallbackMode: 'earliest' },
  })
  const received = []
  for await (const message of stream) {
    received.push(message)
    if (received.length === count) break
  }
  const transaction = await producer.beginTransaction()
  await transaction.addConsumer(consumer)
  const messages = received.map(({ value }) => ({ topic: target, value: `copy-of-${value}` }))
  await transaction.send({ messages })
  const last = new Map(received.map((message) => [message.partition, message]))
  for (const message of last.values()) await transaction.addOffset(message)
  await transaction.commit()
  await producer.close()
  await consumer.close(true)
}

async function admin() {
  const client = new Admin(connection)
  await topics(client)
  await groups(client)
  const { topic } = options
  await client.deleteTopics({ topics: [topic] })
  const isGone = await isSoon(async () => !(await client.listTopics()).includes(topic))
  say('step', { name: 'topicIsGone', result: isGone })
  await client.close()
}

async function topics(client) {
  const { topic } = options
  const configs = [{ name: 'retention.ms', value: '86400000' }]
  await client.createTopics({ topics: [topic], partitions: 3, replicas: 1, configs })
  const isListed = await isSoon(async () => (await client.listTopics()).includes(topic))
  say('step', { name: 'topicIsListed', result: isListed })
  const partitions = async () => {
    const metadata = await client.metadata({ topics: [topic], forceUpdate: true })
    return metadata.topics.get(topic).partitionsCount
  }
  say('step', { name: 'partitions', result: await partitions() })

  const resource = { resourceType: 2, resourceName: topic }
  const retention = async () => {
    const [described] = await client.describeConfigs({ resources: [resource] })
    return described.configs.find(({ name }) => name === 'retention.ms').value
  }
  say('step', { name: 'retention', result: await retention() })
  const change = { name: 'retention.ms', configOperation: 0, value: '3600000' }
  await client.incrementalAlterConfigs({ resources: [{ ...resource, configs: [change] }] })
  await isSoon(async () => (await retention()) === '3600000')
  say('step', { name: 'alteredRetention', result: await retention() })
  await client.createPartitions({ topics: [{ name: topic, count: 5 }] })
  await isSoon(async () => (await partitions()) === 5)
  say('step', { name: 'morePartitions', result: await partitions() })
}

async function groups(client) {
  const { group, source } = options
  say('step', { name: 'groupIsListed', result: (await client.listGroups()).has(group) })
  const described = await client.describeGroups({ groups: [group] })
  const { state } = described.get(group)
  say('step', { name: 'groupState', result: state[0] + state.slice(1).toLowerCase() })
  const [found] = await client.listConsumerGroupOffsets({ groups: [group] })
  const partitions = found.topics.flatMap((topic) => topic.partitions)
  const committed = partitions.map(({ committedOffset }) => Number(committedOffset))
  const sum = committed.reduce((total, offset) => total + offset, 0)
  say('step', { name: 'committed', result: sum })
  const records = [{ partition: 0, offset: 1n }]
  await client.deleteRecords({ topics: [{ name: source, partitions: records }] })
  const timestamp = ListOffsetTimestamps.EARLIEST
  const asked = [{ partitionIndex: 0, timestamp }]
  const [listed] = await client.listOffsets({ topics: [{ name: source, partitions: asked }] })
  say('step', { name: 'deletedBefore', result: Number(listed.partitions[0].offset) })
  await client.deleteGroups({ groups: [group] })
  say('step', { name: 'groupIsGone', result: !(await client.listGroups()).has(group) })
}

await run({ produce, member, transact, admin })
