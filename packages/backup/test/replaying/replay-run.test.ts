import { SimulatedFileSystem } from '@varve/log/testing'
import { RecordBatchBuilder, type RecordInput, readBatches } from '@varve/record'
import { describe, expect, test } from 'vitest'
import type { HistoryPartition, RecordHistory } from '../../src/reading/record-history.ts'
import { replayChunks } from '../../src/replaying/replay-chunks.ts'
import { filterText, passes, type ReplayFilter } from '../../src/replaying/replay-filter.ts'
import { replayHistory } from '../../src/replaying/replay-run.ts'
import type { ReplayBatch, ReplayPosition, ReplaySink } from '../../src/replaying/replay-sink.ts'

const records: readonly RecordInput[] = Array.from({ length: 100 }, (_, index) => ({
  key: `k${index % 7}`,
  value: `v${index}`.padEnd(100),
  headers: [{ key: 'parity', value: index % 2 === 0 ? 'even' : 'odd' }],
  timestamp: 1000 + index,
}))

/** Ten records to a batch, with a gap of five offsets after each. */
function partitionOf(partition: number): HistoryPartition {
  const batches = Array.from({ length: 10 }, (_, index) => {
    const builder = new RecordBatchBuilder({ baseOffset: index * 15 })
    for (const record of records.slice(index * 10, index * 10 + 10)) builder.append(record)
    return builder.build()
  })
  return {
    ...{ topic: 'a', partition, topicId: null, logStartOffset: 0, endOffset: 150 },
    async *batches({ from }) {
      for (const batch of batches) if (batch.nextOffset > from) yield batch
    },
  }
}

const history: RecordHistory = {
  ...{ sourceId: 's', name: 'source', takenMs: 0, files: [] },
  partitions: [partitionOf(0), partitionOf(1)],
  gaps: [{ topic: 'a', partition: 1, from: 3, to: 4, reason: 'lost' }],
}

/** A target in memory, that fails when it is told to. */
class MemorySink implements ReplaySink {
  readonly name = 'memory'
  readonly partitions: RecordInput[][] = [[], []]
  failsAt = Number.POSITIVE_INFINITY
  failsAfterPlacing = false
  readonly #positions = new Map<number, ReplayPosition>()
  #writes = 0

  async prepareTopic() {
    return { isMade: true, batchBytesMax: 1000 }
  }

  async start(): Promise<readonly ReplayPosition[]> {
    return [...this.#positions.values()]
  }

  async write(
    batches: readonly ReplayBatch[],
    positions: readonly ReplayPosition[],
    placed: (baseOffsets: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const fails = ++this.#writes === this.failsAt
    if (fails && !this.failsAfterPlacing) throw new Error('the target is gone')
    const ends = this.partitions.map((list) => list.length)
    const offsets = batches.map(({ partition, records: added }) => {
      const offset = ends[partition] ?? 0
      ends[partition] = offset + added.length
      return offset
    })
    await placed(offsets)
    if (fails) throw new Error('the target is gone')
    for (const { partition, records: added } of batches) this.partitions[partition]?.push(...added)
    for (const position of positions) this.#positions.set(position.partition, position)
  }

  async endOffset(): Promise<number> {
    return 0
  }

  async commitOffsets(): Promise<void> {}
}

const values = (sink: MemorySink): readonly string[][] =>
  sink.partitions.map((list) => list.map(({ value }) => String(value).trimEnd()))

const wanted = records.map((_, index) => `v${index}`)

describe('a replay into a target that fails', () => {
  test('goes on where the target stands, whether or not it had been told the places', async () => {
    for (const failsAfterPlacing of [false, true]) {
      for (let failsAt = 1; failsAt < 30; failsAt += 3) {
        const fs = new SimulatedFileSystem()
        fs.makeDirectories('/maps')
        const sink = new MemorySink()
        Object.assign(sink, { failsAt, failsAfterPlacing })
        const options = { fs, map: '/maps/m', transactionBytes: 1500 }
        const run = replayHistory(history, sink, options)
        await run.then(
          ({ transactions }) => expect(transactions).toBeLessThan(failsAt),
          (error: Error) => expect(error.message).toBe('the target is gone'),
        )
        const report = await replayHistory(history, sink, options)
        expect(values(sink)).toEqual([wanted, wanted])
        expect(report.gaps).toMatchObject([{ reason: 'lost' }])
        expect(report.partitions.map(({ reached }) => reached)).toEqual([150, 150])
      }
    }
  })
})

test('batches have no more bytes than the target takes, and no record is left out', async () => {
  const seen: string[] = []
  let next = 0
  const options = { from: 0, filter: {}, openTransactions: 'stop', chunkBytes: 500 } as const
  for await (const chunk of replayChunks(partitionOf(0), options)) {
    const batch = new RecordBatchBuilder()
    for (const record of chunk.records) batch.append(record)
    expect(batch.build().sizeBytes).toBeLessThanOrEqual(500 + 61)
    expect(chunk.next).toBeGreaterThan(next)
    next = chunk.next
    seen.push(...chunk.records.map(({ value }) => String(value).trimEnd()))
  }
  expect(seen).toEqual(wanted)
  expect(next).toBe(150)
})

test('records are whole though the memory of a batch is used again for the next one', async () => {
  const memory = Buffer.alloc(4096)
  const whole = partitionOf(0)
  const reusing: HistoryPartition = {
    ...whole,
    async *batches(options) {
      for await (const batch of whole.batches(options)) {
        const size = batch.bytes.copy(memory)
        yield* readBatches(memory.subarray(0, size))
        memory.fill(0xff)
      }
    },
  }
  const options = { from: 0, filter: {}, openTransactions: 'stop', chunkBytes: 2500 } as const
  const seen: RecordInput[] = []
  for await (const { records: some } of replayChunks(reusing, options)) seen.push(...some)
  const texts = seen.map(({ key, value, headers }) => {
    const [header] = headers ?? []
    return `${key} ${String(value)} ${String(header?.value)}`
  })
  expect(texts).toEqual(
    records.map(({ key, value }, index) => `${key} ${value} ${index % 2 === 0 ? 'even' : 'odd'}`),
  )
})

test('partitions are read one after the other: of many, few objects are in memory', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectories('/maps')
  let open = 0
  let most = 0
  const counting = history.partitions.map(
    (partition): HistoryPartition => ({
      ...partition,
      async *batches(options) {
        most = Math.max(most, ++open)
        try {
          yield* partition.batches(options)
        } finally {
          open--
        }
      },
    }),
  )
  const sink = new MemorySink()
  const options = { fs, map: '/maps/m', transactionBytes: 1500 }
  await replayHistory({ ...history, partitions: counting }, sink, options)
  expect(values(sink)).toEqual([wanted, wanted])
  expect([open, most]).toEqual([0, 1])
})

test('a filter lets pass what meets all of it', async () => {
  const even = { key: 'parity', value: Buffer.from('even') }
  const filters: ReadonlyArray<readonly [ReplayFilter, (index: number) => boolean]> = [
    [{}, () => true],
    [{ keys: [Buffer.from('k3'), Buffer.from('k4')] }, (index) => [3, 4].includes(index % 7)],
    [{ headers: [even] }, (index) => index % 2 === 0],
    [{ headers: [{ key: 'parity', value: null }] }, () => true],
    [{ headers: [{ key: 'other', value: null }] }, () => false],
    [{ since: 1010, until: 1020 }, (index) => index >= 10 && index < 20],
    [
      { fromOffset: 15, toOffset: 30, headers: [even] },
      (index) => [10, 12, 14, 16, 18].includes(index),
    ],
  ]
  for (const [filter, isWanted] of filters) {
    const passed: number[] = []
    for await (const batch of partitionOf(0).batches({ from: 0 })) {
      for (const record of batch.records()) {
        if (passes(record, filter)) passed.push(Number(String(record.value).slice(1)))
      }
    }
    expect(passed).toEqual(wanted.map((_, index) => index).filter(isWanted))
  }
  expect(new Set(filters.map(([filter]) => filterText(filter))).size).toBe(filters.length)
})
