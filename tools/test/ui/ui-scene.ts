import {
  DirectoryTarget,
  inlineDecoder,
  inlineEncoder,
  noteVerification,
  Repository,
  verifyRepository,
} from '@varve/backup'
import type { DirectoryVarve, ProducerRecord, Sendable } from '@varve/broker'
import { systemClock } from '@varve/log'
import { Random, SimulatedFileSystem } from '@varve/log/testing'
import { type Server, startServer } from '@varve/server'

/** A served directory with something of everything that the page shows. */
export interface UiScene {
  readonly server: Server
  /** Of the page. */
  readonly url: string
  close(): Promise<void>
}

type Sent = ProducerRecord<Sendable, Sendable>

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** Whatever is drawn of it looks the same each time. */
const seed = 20_261_121

export async function openScene(
  options: { readonly writes?: boolean; readonly isEmpty?: boolean } = {},
): Promise<UiScene> {
  const fs = new SimulatedFileSystem()
  const repository = await Repository.create(new DirectoryTarget('/mnt/backup/varve', { fs }))
  const { writes = false, isEmpty = false } = options
  const server = await startServer({
    ...{ data: '/srv/varve', port: 0, directoryOptions: { fs, cleaning: { workers: 0 } } },
    ...{ http: { port: 0 }, ui: { writes, repositories: [repository] } },
  })
  if (!isEmpty) {
    await fillDirectory(server.varve)
    await backUp(server.varve, repository, fs)
    await readSlowly(server.varve, 'shipping', 'payments')
  }
  return {
    server,
    url: ['http:', '', server.httpAddress, 'ui', ''].join('/'),
    close: async () => {
      await server.close()
      await repository.close()
    },
  }
}

async function fillDirectory(varve: DirectoryVarve): Promise<void> {
  const random = new Random(seed)
  const small = { segmentBytes: 24 * 1024 }
  await varve.createTopic('orders', { partitions: 3, ...small, retentionMs: 14 * 24 * hourMs })
  await varve.createTopic('customers', { cleanupPolicy: 'compact', ...small })
  await varve.createTopic('payments', { partitions: 2, segmentBytes: 48 * 1024 })
  await varve.createTopic('clicks', { partitions: 6, ...small, retentionBytes: 128 * 1024 })
  await varve.createTopic('hostile')
  await varve.createTopic('empty', { partitions: 2 })
  const nowMs = systemClock.now()
  await produce(varve, 'orders', 3000, (index) => order(random, index, nowMs))
  await produce(varve, 'customers', 2500, (index) => customer(random, index, nowMs))
  await produce(varve, 'payments', 900, (index) => order(random, index, nowMs))
  await produce(varve, 'clicks', 4000, (index) => click(random, index, nowMs))
  await varve.cleaner.runOnce()
  await produce(varve, 'customers', 500, (index) => customer(random, 2500 + index, nowMs))
  await produceHostile(varve, nowMs)
  await commit(varve, 'billing', 'orders', [980, 1003, 1010])
  await commit(varve, 'shipping', 'payments', [290, 405])
  await commit(varve, 'analytics', 'clicks', [200, 210, 220, 230, 240, 250])
}

/** In groups of one time, so that batches and segments have the times of their records. */
async function produce(
  varve: DirectoryVarve,
  topic: string,
  count: number,
  recordOf: (index: number) => Sent,
): Promise<void> {
  const producer = varve.producer()
  for (let index = 0; index < count; index += 50) {
    const group = Array.from({ length: Math.min(50, count - index) }, (_, at) => index + at)
    await Promise.all(group.map((each) => producer.send(topic, recordOf(each))))
  }
  await producer.close()
}

function order(random: Random, index: number, nowMs: number): Sent {
  const id = `o-${10_000 + index}`
  const items = [{ sku: `V-${100 + random.int(900)}`, quantity: 1 + random.int(4) }]
  const total = (random.int(20_000) / 100).toFixed(2)
  const value = JSON.stringify({ id, customer: `c-${random.int(400)}`, total, items })
  const timestamp = nowMs - (3000 - index) * 2.1 * minuteMs
  return {
    key: id,
    value,
    timestamp: Math.round(timestamp),
    headers: [{ key: 'source', value: 'web' }],
  }
}

function customer(random: Random, index: number, nowMs: number): Sent {
  const id = `c-${random.int(400)}`
  const value = JSON.stringify({ id, name: `Customer ${id}`, tier: random.int(3) })
  return { key: id, value, timestamp: Math.round(nowMs - (3000 - index) * 3 * minuteMs) }
}

function click(random: Random, index: number, nowMs: number): Sent {
  const value = `GET /product/${random.int(5000)} ${random.int(800)}ms ${'·'.repeat(40)}`
  return { key: `s-${index % 60}`, value, timestamp: nowMs - (4000 - index) * 20_000 }
}

/** Everything that a record can hold to harm whoever looks at it. */
export const hostileValue =
  '<img src=x onerror="document.title=\'harmed\'"><script>harmed()</script>'

async function produceHostile(varve: DirectoryVarve, nowMs: number): Promise<void> {
  const producer = varve.producer()
  const timestamp = nowMs - minuteMs
  const send = (
    key: string | Buffer | null,
    value: string | Buffer | null,
    headers: NonNullable<Sent['headers']> = [],
  ) => producer.send('hostile', { key, value, headers, timestamp })
  await send('<b>key</b>', hostileValue, [
    { key: '<i>header</i>', value: '"><svg onload=harmed()>' },
  ])
  await send('binary', Buffer.from([0x00, 0xff, 0xfe, 0x80, 0x41, 0x42, 0x1b, 0x5b, 0x32, 0x4a]))
  await send('right-to-left', 'safe \u202e gnp.exe \u202c\u0007 end')
  await send('huge', 'x'.repeat(700_000))
  await send('tombstone', null)
  await send(null, '')
  const large = '{"id":12345678901234567890,"twice":1,"twice":2,"empty":{},"list":[1,"<b>"]}'
  await send('json', large, [{ key: 'trace', value: 'b7c1' }])
  await producer.close()
}

async function commit(
  varve: DirectoryVarve,
  group: string,
  topic: string,
  offsets: readonly number[],
): Promise<void> {
  const groups = await varve.groups()
  const commits = offsets.map((offset, partition) => ({ topic, partition, offset }))
  await groups.resetOffsets(group, commits)
}

/** A member that has taken a record and is busy with it until everything is closed. */
async function readSlowly(varve: DirectoryVarve, group: string, topic: string): Promise<void> {
  const settings = { maxPollIntervalMs: hourMs, clientId: 'shipping-office' }
  const consumer = varve.consumer({ group, topics: [topic], ...settings })
  await consumer[Symbol.asyncIterator]().next()
}

/** Without threads, which do not see what is in memory. */
async function backUp(
  varve: DirectoryVarve,
  repository: Repository,
  fs: SimulatedFileSystem,
): Promise<void> {
  await varve.backup(repository, { encoder: inlineEncoder(fs) })
  const { sound } = await verifyRepository(repository, { decoder: inlineDecoder() })
  const { target, keys } = repository
  for (const backupId of sound) {
    const noted = { backupId, atMs: systemClock.now(), isSound: true }
    await noteVerification(target, keys.naming.idKey, noted)
  }
}
