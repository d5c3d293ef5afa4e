import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { type Log, LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { contentHash, contentHashOfFiles, segmentFilesIn } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfTexts } from '../harness/result-hash.ts'

/** What the directory holds. */
interface Shape {
  readonly partitions: number
  readonly segments: number
}

export const opening: Benchmark = {
  name: 'opening',
  summary: 'opening a data directory after a clean shutdown',
  async run(context) {
    const many = context.size(1_000, 10)
    return [
      await ofShape(context, { partitions: many, segments: 1 }),
      await ofShape(context, { partitions: 1, segments: many }),
    ]
  },
}

async function ofShape(context: BenchmarkContext, shape: Shape) {
  const { partitions, segments } = shape
  context.progress(`making ${partitions} partitions of ${segments} segments`)
  return await context.withDirectory(async (path) => {
    await makeDirectory(path, shape)
    return await hold(context, {
      name: `${partitions} partitions of ${segments} segments`,
      unit: 's',
      measured: openCleanly(path, shape),
      limit: readBarely(path, shape),
      bar: { kind: 'value', atMost: 1 },
      conditions: { state: 'closed cleanly; directories and small files in the page cache' },
    })
  })
}

async function makeDirectory(path: string, { partitions, segments }: Shape): Promise<void> {
  await using directory = await LogDirectory.open(path, { log: { acks: 'written' } })
  const { records } = payloadOf(100, 100)
  for (let partition = 0; partition < partitions; partition++) {
    const log = await directory.createLog('bench', partition)
    for (let segment = 0; segment < segments; segment++) {
      if (segment > 0) await log.roll()
      await log.append(records)
    }
  }
}

function openCleanly(path: string, { partitions, segments }: Shape): Contender {
  const measure = async () => {
    let directory: LogDirectory | null = null
    const seconds = await secondsOf(async () => {
      directory = await LogDirectory.open(path, { log: { acks: 'written' } })
    })
    assert.ok(directory !== null, 'the directory was opened')
    const opened: LogDirectory = directory
    const { logs, failures } = opened
    assert.equal(failures.size, 0, 'every log was opened')
    const contents: string[] = []
    for (let partition = 0; partition < partitions; partition++) {
      const log: Log = opened.log('bench', partition)
      assert.equal(log.recoveryReport.scannedBytes, 0, 'no record data was read')
      assert.equal(log.segments().length, segments, 'every segment is there')
      contents.push(String(log.sizeBytes), await contentHash(log))
    }
    assert.equal(logs.size, partitions, 'every partition is there')
    await opened.close()
    return { value: seconds, hash: hashOfTexts(...contents) }
  }
  return { name: 'LogDirectory.open', measure }
}

/** Lists each partition, looks at the size of its segments, reads the small files of the last. */
function readBarely(path: string, { partitions }: Shape): Contender {
  const measure = async () => {
    const sizes: number[] = []
    const seconds = await secondsOf(() => {
      for (let partition = 0; partition < partitions; partition++) {
        const directory = `${path}/bench-${partition}`
        const names = readdirSync(directory).sort()
        const logs = names.filter((name) => name.endsWith('.log'))
        let sizeBytes = 0
        for (const name of logs) sizeBytes += statSync(`${directory}/${name}`).size
        sizes.push(sizeBytes)
        const last = logs.at(-1)?.slice(0, 20)
        for (const name of names) {
          const isData = /^\d/.test(name) && (last === undefined || name < last)
          if (!isData && !name.endsWith('.log')) readWhole(`${directory}/${name}`)
        }
      }
    })
    const contents = sizes.flatMap((sizeBytes, partition) => {
      const files = segmentFilesIn(`${path}/bench-${partition}`)
      return [String(sizeBytes), contentHashOfFiles(files)]
    })
    return { value: seconds, hash: hashOfTexts(...contents) }
  }
  return { name: 'bare readdir, stat of the segments, and reads of the small files', measure }
}

function readWhole(path: string): void {
  const descriptor = openSync(path, 'r')
  const bytes = Buffer.alloc(fstatSync(descriptor).size)
  readSync(descriptor, bytes, 0, bytes.length, 0)
  closeSync(descriptor)
}
