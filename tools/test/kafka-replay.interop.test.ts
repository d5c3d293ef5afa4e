import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  groupOffsets,
  type RecordHistory,
  type ReplayBatch,
  type ReplayPosition,
  replayHistory,
  snapshotHistory,
} from '@varve/backup'
import {
  type DirectoryVarve,
  openDataDirectory,
  openVarve,
  readGroupOffset,
  settingsInHistory,
  type Varve,
  VarveReplaySink,
} from '@varve/broker'
import { nodeFileSystem } from '@varve/log'
import { Random, seedFromEnvironment } from '@varve/log/testing'
import type { RecordInput } from '@varve/record'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

const topic = 'orders'
const timeoutMs = 120_000

describeWithKafka((release) => {
  const root = mkdtempSync(join(tmpdir(), 'varve-replay-'))
  let broker: KafkaBroker | null = null
  let source: DirectoryVarve | null = null

  beforeAll(async () => {
    broker = await startBroker(release, { directory: root })
    source = await openDataDirectory(join(root, 'source'), { cleaning: false })
    await fill(source, new Random(seedFromEnvironment('a replay into Kafka')))
  }, timeoutMs)
  afterAll(async () => {
    await source?.close()
    await broker?.kill()
    rmSync(root, { recursive: true, force: true })
  })

  test(
    'a history comes into a cluster once, though its replay dies again and again, with its groups',
    async () => {
      if (source === null || broker === null) throw new Error('they have been started')
      const address = `kafka://${broker.bootstrapServers}`
      const wanted = await committedOf(source)
      await using snapshot = await source.backupSource().snapshot()
      const history = snapshotHistory(nodeFileSystem, 'source', snapshot)
      const groups = await groupOffsets(history, readGroupOffset)
      const map = join(root, 'map.jsonl')
      let deaths = 0
      for (;;) {
        await using target: Varve = await openVarve(address)
        const sink = new DyingSink(target, history)
        const options = { map, groups, transactionBytes: 5_000 }
        const run = replayHistory(history, sink, options)
        const outcome = await run.catch((error: unknown) => error)
        if (outcome instanceof Error) {
          if (outcome.message !== 'it died') throw outcome
          deaths++
          continue
        }
        expect(outcome).toMatchObject({ gaps: [], clamped: [], groups: ['billing'] })
        await sink.close()
        expect(await consumedFrom(target)).toEqual(wanted)
        const { offsets } = await (await target.groups()).describe('billing')
        const [moved] = offsets
        const rest = await consumedFrom(target, moved?.offset ?? -1)
        expect(rest[0]).toEqual(wanted[0]?.slice(-(wanted[0].length - 20)))
        break
      }
      expect(deaths).toBeGreaterThan(2)
    },
    timeoutMs,
  )
})

/** A sink whose process dies in its third transaction: at one of its moments, by turns. */
class DyingSink extends VarveReplaySink {
  #writes = 0
  static #moment = 0

  constructor(target: Varve, history: RecordHistory) {
    super(target, { name: 'kafka', settings: settingsInHistory(history) })
  }

  override async write(
    batches: readonly ReplayBatch[],
    positions: readonly ReplayPosition[],
    placed: (baseOffsets: readonly number[]) => Promise<void>,
  ): Promise<void> {
    this.#writes++
    const dies = this.#writes === 3
    const moment = dies ? DyingSink.#moment++ % 3 : -1
    const die = (): never => {
      throw new Error('it died')
    }
    if (moment === 0) die()
    await super.write(batches, positions, async (baseOffsets) => {
      if (moment === 1) die()
      await placed(baseOffsets)
    })
    if (moment === 2) die()
  }
}

/** Plain records and transactions of both outcomes; one group that has read twenty. */
async function fill(varve: DirectoryVarve, random: Random): Promise<void> {
  await varve.createTopic(topic, { partitions: 2, recordTtlMs: 10 ** 12 })
  const plain = varve.producer()
  const producer = varve.producer({ transactionalId: 't' })
  const some = (): RecordInput[] =>
    Array.from({ length: 10 }, (_, index) => ({
      key: random.bool(0.2) ? null : `k${index}`,
      value: random.bool(0.2) ? null : random.bytes(200),
      headers: [
        { key: 'a', value: null },
        { key: 'a', value: random.bytes(3) },
      ],
      timestamp: 1_700_000_000_000 + random.int(1000),
    }))
  for (let round = 0; round < 20; round++) {
    for (const partition of [0, 1]) await plain.send(topic, some(), { partition })
    const transaction = await producer.begin()
    for (const partition of [0, 1]) await transaction.send(topic, some(), { partition })
    if (random.bool()) await transaction.commit()
    else await transaction.abort()
  }
  await producer.close()
  let seen = 0
  let offset = 0
  const log = varve.log(topic, 0)
  for await (const record of log.reader({ from: 0, isolation: 'committed' }).records()) {
    if (seen++ === 20) offset = record.offset
  }
  await (await varve.groups()).resetOffsets('billing', [{ topic, partition: 0, offset }])
}

interface Seen extends Pick<RecordInput, 'timestamp'> {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

function contentOf({ key, value, headers, timestamp }: Seen): string {
  const hex = (bytes: Buffer | null): string | null => bytes?.toString('hex') ?? null
  const shown = headers.map((header) => [header.key, hex(header.value)])
  return JSON.stringify([hex(key), hex(value), shown, timestamp])
}

async function committedOf(varve: DirectoryVarve): Promise<readonly string[][]> {
  const all: string[][] = []
  for (const partition of [0, 1]) {
    const contents: string[] = []
    const reader = varve.log(topic, partition).reader({ from: 0, isolation: 'committed' })
    for await (const record of reader.records()) contents.push(contentOf(record))
    all.push(contents)
  }
  return all
}

/** What a reader of committed records sees in each partition, from an offset on. */
async function consumedFrom(
  varve: Varve,
  from: number | 'earliest' = 'earliest',
): Promise<readonly string[][]> {
  const all: string[][] = [[], []]
  const consumer = varve.consumer({ topics: [topic], from, follow: false, isolation: 'committed' })
  for await (const record of consumer) all[record.partition]?.push(contentOf(record.raw))
  await consumer.close()
  return all
}
