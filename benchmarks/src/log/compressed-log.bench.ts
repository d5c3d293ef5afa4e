import assert from 'node:assert/strict'
import { generatePayload } from '@varve/bench'
import type { Log } from '@varve/log'
import { DecompressionMemory, type RecordInput } from '@varve/record'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { contentHash } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOf, ResultHash } from '../harness/result-hash.ts'
import { type BareLz4, bareBlocks, loadBareLz4, readBareBlocks } from '../record/bare-lz4.ts'
import { withNewLog } from './log-under-test.ts'

const KiB = 1024
const batchBytes = 256 * KiB
const seed = 9
const noBytes = Buffer.alloc(0)
/** More would make every collection of garbage slower by what belongs to the benchmark. */
const distinctBytes = 4 * KiB * KiB

/** Records of text in groups, each of which is a batch. */
interface Corpus {
  readonly groups: readonly (readonly RecordInput[])[]
  /** The values of each group, the one behind the other. */
  readonly plain: readonly Buffer[]
  readonly bytes: number
  readonly records: number
  readonly description: string
}

export const compressedLog: Benchmark = {
  name: 'compressed-log',
  summary: 'a log of English text under LZ4, written and read, in bytes of values',
  async run(context) {
    const lz4 = loadBareLz4()
    if (lz4 === null) return []
    const figures: Figure[] = []
    for (const recordBytes of [100, KiB, 10 * KiB]) {
      const corpus = corpusOf(recordBytes, context.size(64 * KiB * KiB, KiB * KiB))
      figures.push(await writing(context, lz4, corpus, recordBytes))
      figures.push(await reading(context, lz4, corpus, recordBytes))
    }
    return figures
  },
}

function corpusOf(recordBytes: number, totalBytes: number): Corpus {
  const { values, description } = generatePayload('text', recordBytes, seed, distinctBytes)
  const perGroup = Math.floor(batchBytes / (recordBytes + 16))
  const count = Math.max(1, Math.floor(totalBytes / (perGroup * recordBytes)))
  const groups: RecordInput[][] = []
  const plain: Buffer[] = []
  for (let group = 0; group < count; group++) {
    const own = Array.from({ length: perGroup }, (_, index) => {
      return values[(group * perGroup + index) % values.length] as Buffer
    })
    groups.push(own.map((value) => ({ value })))
    plain.push(Buffer.concat(own))
  }
  const records = count * perGroup
  return { groups, plain, bytes: records * recordBytes, records, description }
}

function conditionsOf({ description, bytes }: Corpus) {
  return {
    payload: description,
    log: `${Math.round(bytes / 1e6)} MB in batches of ${batchBytes / KiB} KiB, in the page cache`,
    acks: 'written',
  }
}

function writing(
  context: BenchmarkContext,
  lz4: BareLz4,
  corpus: Corpus,
  recordBytes: number,
): Promise<Figure> {
  const { bytes, plain } = corpus
  const bare = async () => {
    const seconds = await secondsOf(() => {
      for (const group of plain) bareBlocks(lz4, group)
    })
    const hash = hashOfBlocks(
      lz4,
      (index) => bareBlocks(lz4, plain[index] ?? noBytes),
      plain.length,
    )
    return { value: bytes / 1e6 / seconds, hash }
  }
  const measure = () =>
    withNewLog(context, logOptions, async (log) => {
      const seconds = await secondsOf(() => fill(log, corpus))
      return { value: bytes / 1e6 / seconds, hash: await contentHash(log) }
    })
  return hold(context, {
    name: `${recordBytes} B records, written`,
    unit: 'MB/s',
    measured: { name: 'log.append', measure },
    limit: { name: 'the bare blocks of lz4-napi, of the same values', measure: bare },
    bar: { kind: 'ratio', atLeast: 0.8 },
    conditions: conditionsOf(corpus),
  })
}

function reading(
  context: BenchmarkContext,
  lz4: BareLz4,
  corpus: Corpus,
  recordBytes: number,
): Promise<Figure> {
  const { bytes, plain } = corpus
  const blocks = plain.map((group) => bareBlocks(lz4, group))
  const bare: Contender = {
    name: 'the bare blocks of lz4-napi, of the same values',
    measure: async () => {
      let read = 0
      const seconds = await secondsOf(() => {
        for (const group of blocks) read += readBareBlocks(lz4, group)
      })
      assert.equal(read, bytes, 'every value was read')
      const hash = hashOfBlocks(lz4, (index) => blocks[index] ?? [], blocks.length)
      return { value: bytes / 1e6 / seconds, hash }
    },
  }
  return withNewLog(context, logOptions, async (log) => {
    await fill(log, corpus)
    const measure = async () => {
      let read = 0
      const seconds = await secondsOf(async () => {
        read = await sizeOfValues(log)
      })
      assert.equal(read, bytes, 'every value was read')
      const hash = await contentHash(log)
      assert.equal(hash, hashOf(...plain), 'what was read is what was written')
      return { value: bytes / 1e6 / seconds, hash }
    }
    return await hold(context, {
      name: `${recordBytes} B records, read, CRC checked, a view of each value`,
      unit: 'MB/s',
      measured: { name: 'log.reader', measure },
      limit: bare,
      bar: { kind: 'ratio', atLeast: 0.6 },
      conditions: conditionsOf(corpus),
    })
  })
}

/** Of what is in the blocks of each group, decompressed once more. */
function hashOfBlocks(
  lz4: BareLz4,
  blocksOf: (group: number) => readonly Buffer[],
  groups: number,
): string {
  const hash = new ResultHash()
  for (let group = 0; group < groups; group++) {
    for (const block of blocksOf(group)) hash.add(lz4.uncompressSync(block))
  }
  return hash.value
}

const inFlight = 4

const logOptions = { acks: 'written', compressionType: 'lz4', batchBytes } as const

/** Several are on their way, so that one is compressed while another is written. */
async function fill(log: Log, { groups }: Corpus): Promise<void> {
  let sent = 0
  const call = async (): Promise<void> => {
    for (let group = groups[sent++]; group !== undefined; group = groups[sent++]) {
      await log.append(group)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, call))
}

async function sizeOfValues(log: Log): Promise<number> {
  let bytes = 0
  const reader = log.reader({ from: 0, reuseMemory: true })
  const memory = new DecompressionMemory()
  for (let batches = await reader.nextBatches(); batches !== null; ) {
    for (const batch of batches) {
      for (const { value } of batch.records({ memory })) bytes += value?.length ?? 0
    }
    batches = await reader.nextBatches()
  }
  return bytes
}
