import assert from 'node:assert/strict'
import { closeSync, cpSync, fdatasyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { Cleaner, type CompactionStats } from '@varve/cleaner'
import { LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import {
  bytesHashOfFiles,
  newestHash,
  segmentFilesIn,
  survivorsHash,
} from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { payloadOf } from '../harness/payload.ts'
import { SeededRandom } from '../harness/random.ts'

const MiB = 2 ** 20
const recordBytes = 1024
const recordsPerBatch = 16
const log = { segmentBytes: 128 * MiB, acks: 'none' } as const
const policy = () => ({ cleanupPolicy: ['compact'] as const })

/** How many of the records have keys of their own: the fewer, the more is removed. */
const keyShares = [0.01, 0.5] as const

export const compaction: Benchmark = {
  name: 'compaction',
  summary: 'compaction of a log of 1-KiB records by one worker, in bytes of input',
  async run(context) {
    const figures: Figure[] = []
    for (const keyShare of keyShares) {
      figures.push(await context.withDirectory((path) => ofShare(context, path, keyShare)))
    }
    return figures
  },
}

async function ofShare(context: BenchmarkContext, path: string, keyShare: number): Promise<Figure> {
  const records = Math.floor(context.size(512 * MiB, 2 * MiB) / recordBytes)
  const keys = Math.max(1, Math.floor(records * keyShare))
  context.progress(`writing ${records} records of ${keys} keys`)
  const original = `${path}/original`
  await writeLog(original, records, keys)
  // What is left is known from a first run, so that the limit can write as much.
  const { stats } = await compactCopy(original, `${path}/first`)
  const expected = { ...stats, hash: await newestIn(original) }
  const { description } = payloadOf(recordBytes, 1024)
  return await hold(context, {
    name: `${Math.round(keyShare * 100)} % of the records have keys of their own`,
    unit: 'MB/s',
    measured: compacting(original, `${path}/copy`, expected),
    limit: readingAndWriting(original, `${path}/written`, expected),
    bar: { kind: 'value', atLeast: 200 },
    conditions: {
      payload: description,
      batches: `${recordsPerBatch} records, uncompressed`,
      input: `${(stats.inputBytes / 1e6).toFixed(0)} MB, ${stats.inputRecords} records`,
      left: `${stats.outputRecords} records`,
      map: `${(stats.mapBytes / stats.keys).toFixed(1)} bytes per key allocated, 23.5 when full`,
      state: 'input in the page cache; output flushed; the start of the worker counts',
    },
  })
}

async function writeLog(path: string, records: number, keys: number): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const opened = await directory.createLog('bench', 0)
  const payload = payloadOf(recordBytes, 1024)
  const random = new SeededRandom(7)
  for (let index = 0; index < records; index += recordsPerBatch) {
    const batch = Array.from({ length: recordsPerBatch }, (_, at) => ({
      key: `user-${String(random.integer(keys)).padStart(7, '0')}`,
      value: payload.records[(index + at) % payload.records.length]?.value ?? null,
    }))
    await opened.append(batch)
  }
  await opened.flush()
  await opened.roll()
}

interface Compacted {
  readonly stats: CompactionStats
  readonly seconds: number
  /** Of the keys and values that are left, and their offsets. */
  readonly hash: string
}

async function newestIn(path: string): Promise<string> {
  await using directory = await LogDirectory.open(path, { log })
  return await newestHash(directory.log('bench', 0))
}

async function compactCopy(original: string, path: string): Promise<Compacted> {
  cpSync(original, path, { recursive: true })
  try {
    await using directory = await LogDirectory.open(path, { log })
    await using cleaner = new Cleaner(directory, { policy, workers: 1 })
    let stats: CompactionStats | undefined
    const seconds = await secondsOf(async () => {
      const { compaction } = await cleaner.runOnce()
      stats = compaction.get('bench-0')?.stats
    })
    assert.equal(cleaner.failures.size, 0, 'nothing failed')
    assert.ok(stats !== undefined, 'the log was compacted')
    return { stats, seconds, hash: await survivorsHash(directory.log('bench', 0)) }
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

/** What has to be left, and how it is known without any compaction. */
type Expected = CompactionStats & { readonly hash: string }

function compacting(original: string, path: string, expected: Expected): Contender {
  const measure = async () => {
    const { stats, seconds, hash } = await compactCopy(original, path)
    assert.equal(stats.outputRecords, expected.outputRecords, 'the same is left')
    assert.equal(hash, expected.hash, 'the newest record of each key is left, and nothing else')
    return { value: stats.inputBytes / 1e6 / seconds, hash }
  }
  return { name: 'Cleaner.runOnce', measure }
}

/** Reads the input once and writes as much as is left of it: nothing can compact faster. */
function readingAndWriting(
  original: string,
  path: string,
  { inputBytes, outputBytes, hash }: Expected,
): Contender {
  const measure = async () => {
    const chunk = Buffer.alloc(MiB)
    let readBytes = 0
    const seconds = await secondsOf(async () => {
      await using directory = await LogDirectory.open(original, { log })
      const target = openSync(path, 'w')
      let left = outputBytes
      for (const segment of directory.log('bench', 0).segments()) {
        const source = openSync(segment.path, 'r')
        for (let at = 0; at < segment.sizeBytes; at += chunk.length) {
          const count = readSync(source, chunk, 0, chunk.length, at)
          readBytes += count
          left -= writeSync(target, chunk, 0, Math.min(count, left))
        }
        closeSync(source)
      }
      fdatasyncSync(target)
      closeSync(target)
    })
    assert.equal(readBytes, inputBytes, 'everything was read')
    const input = segmentFilesIn(`${original}/bench-0`)
    assert.equal(bytesHashOfFiles([path]), bytesHashOfFiles(input, outputBytes), 'it was copied')
    rmSync(path)
    // It compacts nothing: what it stands beside is what is known to be left.
    return { value: inputBytes / 1e6 / seconds, hash }
  }
  return { name: 'bare reads of the input, writes of what is left, one fdatasync', measure }
}
