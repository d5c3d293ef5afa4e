import { silentLogger } from '@varve/broker/serving'
import { Random, SimulatedFileSystem, seedFromEnvironment } from '@varve/log/testing'
import { VarveError } from '@varve/record'
import { expect, test } from 'vitest'
import { createAcls } from '../../src/protocol/apis/create-acls.ts'
import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import type { Server } from '../../src/server.ts'
import { GroupClient } from '../groups-client.ts'
import { ask } from '../http/http-client.ts'
import { fetchFrom, producedBatch, produceTo, valued, valuesIn } from '../produced-batch.ts'
import { startTestServer } from '../test-server.ts'
import { WireProducer } from '../transactions/wire-producer.ts'
import { WireClient } from '../wire-client.ts'

/** What clients were told is done. */
class Told {
  readonly values = new Set<string>()
  readonly topics = new Set<string>()
  readonly rules = new Set<string>()
  /** Transactions that were begun: whoever comes back as their producer ends them. */
  readonly begun = new Set<string>()
  readonly codes = new Set<number>()
  committed = 0
  sent = 0

  is(code: number | undefined): boolean {
    this.codes.add(code ?? -1)
    return code === errorCodes.NONE
  }
}

/** As Kafka tells them: of a log, and of what a coordinator keeps in one. */
const foreseenCodes: readonly number[] = [
  errorCodes.NONE,
  errorCodes.KAFKA_STORAGE_ERROR,
  errorCodes.COORDINATOR_NOT_AVAILABLE,
  errorCodes.NOT_COORDINATOR,
]

type Deed = (client: WireClient, told: Told, index: number) => Promise<void>

const deeds: Readonly<Record<string, Deed>> = {
  async produce(client, told, index) {
    const value = `p${index}`
    const records = producedBatch(valued(value)).bytes
    const acks = index % 3 === 0 ? 1 : -1
    const { errorCode } = await produceTo(client, { topic: 't', records, acks })
    if (told.is(errorCode)) told.values.add(value)
  },
  async transaction(client, told, index) {
    const producer = new WireProducer(client, `tx${index}`)
    const value = `x${index}`
    told.begun.add(producer.transactionalId)
    if (!told.is(await producer.init())) return
    if (!told.is((await producer.addPartitions('t', [0]))[0])) return
    if (!told.is(await producer.send('t', 0, value, 0))) return
    if (told.is(await producer.end(true))) told.values.add(value)
  },
  async commit(client, told, index) {
    if (told.is(await new GroupClient(client).commit(0, index))) told.committed = index
    told.sent = index
  },
  async makeTopic(client, told, index) {
    const name = `topic${index}`
    const { topics } = await client.call(createTopics, 5, {
      topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      ...{ timeoutMs: 1000, validateOnly: false },
    })
    if (told.is(topics[0]?.errorCode)) told.topics.add(name)
  },
  async addRule(client, told, index) {
    const resourceName = `rule${index}`
    const rule = { resourceType: 2, principal: 'User:a', host: '*', operation: 3 }
    const { results } = await client.call(createAcls, 3, {
      creations: [{ ...rule, resourceName, resourcePatternType: 3, permissionType: 3 }],
    })
    if (told.is(results[0]?.errorCode)) told.rules.add(resourceName)
  },
}

function start(fs: SimulatedFileSystem, unforeseen: unknown[]): Promise<Server> {
  const note = ({ err }: { err?: unknown }): void => {
    if (err !== undefined && !(err instanceof VarveError)) unforeseen.push(err)
  }
  const logger = { ...silentLogger, warn: note, error: note }
  const options = { accessWithoutAcls: 'allow' as const, superUsers: ['User:ANONYMOUS'] }
  return startTestServer({ logger, ...options, http: { port: 0 } }, fs)
}

async function checkKept(server: Server, told: Told): Promise<void> {
  await using client = await WireClient.connect(server.port)
  for (const id of told.begun) expect(await new WireProducer(client, id).init()).toBe(0)
  const { records } = await fetchFrom(client, { topic: 't', isolationLevel: 1 })
  const found = new Set(valuesIn(records))
  for (const value of told.values) expect(found).toContain(value)
  const topics = await server.varve.listTopics()
  for (const topic of told.topics) expect(topics).toContain(topic)
  const rules = server.security.listAcls().map(({ resourceName }) => resourceName)
  for (const rule of told.rules) expect(rules).toContain(rule)
  const offset = (await new GroupClient(client).committed(0))?.committedOffset ?? -1
  expect(offset).toBeGreaterThanOrEqual(told.committed)
  expect(offset).toBeLessThanOrEqual(told.sent)
  const { errorCode } = await produceTo(client, {
    topic: 't',
    records: producedBatch(valued('after')).bytes,
  })
  expect(errorCode).toBe(errorCodes.NONE)
}

/** A log that has failed is told as such, by its requests and by health; the others go on. */
async function checkTrouble(server: Server, client: WireClient): Promise<void> {
  const send = (topic: string) =>
    produceTo(client, { topic, records: producedBatch(valued('now')).bytes })
  expect((await send('healthy')).errorCode).toBe(errorCodes.NONE)
  const hasFailed = (await send('t')).errorCode === errorCodes.KAFKA_STORAGE_ERROR
  const { status, text } = await ask(server.httpAddress ?? '', '/health')
  const { reasons } = JSON.parse(text) as { reasons: readonly { log: string }[] }
  expect(reasons.some(({ log }) => log === 't-0')).toBe(hasFailed)
  expect(status).toBe(reasons.length > 0 ? 503 : 200)
}

const seed = seedFromEnvironment('VARVE_SEED')

test('what was acknowledged while the disk failed is kept, and the rest is told', async () => {
  const random = new Random(seed)
  const names = Object.keys(deeds)
  for (let round = 0; round < 30; round++) {
    const fs = new SimulatedFileSystem()
    const unforeseen: unknown[] = []
    const told = new Told()
    const server = await start(fs, unforeseen)
    for (const topic of ['t', 'healthy']) await server.varve.createTopic(topic)
    await using client = await WireClient.connect(server.port)
    for (const [index, name] of names.entries()) await deeds[name]?.(client, told, index + 1)
    expect([...told.codes]).toEqual([errorCodes.NONE])
    const kind = random.pick(['EIO', 'ENOSPC'] as const)
    fs.injectFault({ kind, after: random.int(40), isLasting: random.bool() })
    for (let index = 10; index < 30; index++) await deeds[random.pick(names)]?.(client, told, index)
    fs.clearFaults()
    for (const code of told.codes) expect(foreseenCodes).toContain(code)
    await checkTrouble(server, client)
    await server.close().catch((error) => expect(error).toBeInstanceOf(VarveError))
    await using again = await start(fs, unforeseen)
    await checkKept(again, told)
    expect(unforeseen).toEqual([])
  }
}, 60_000)
