import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import {
  BackupCatalogue,
  DirectorySource,
  DirectoryTarget,
  LiveSource,
  Repository,
  restoreBackup,
  runBackup,
} from '@varve/backup'
import { LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { bytesHashOfFiles, segmentFilesIn } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfTexts } from '../harness/result-hash.ts'

const log = { acks: 'written' } as const

/** What a backup costs beside the bytes that it moves. */
export const backupOverhead: Benchmark = {
  name: 'backup-overhead',
  summary: 'snapshots of 1,000 segments, and incremental backups of 10,000 that find nothing new',
  async run(context) {
    return [await snapshots(context), await nothingNew(context)]
  },
}

function snapshots(context: BenchmarkContext) {
  const segments = context.size(1000, 10)
  return context.withDirectory(async (path) => {
    mkdirSync(path)
    await makeLog(`${path}/data`, segments)
    await using directory = await LogDirectory.open(`${path}/data`, { log })
    const source = new LiveSource(directory)
    const measure = async () => {
      let count = 0
      const seconds = await secondsOf(async () => {
        await using snapshot = await source.snapshot()
        count = snapshot.partitions[0]?.segments.length ?? 0
      })
      // Another one, to see what a snapshot has.
      await using seen = await source.snapshot()
      const files = seen.partitions[0]?.segments.map((segment) => segment.path) ?? []
      assert.equal(files.length, count, 'both have as many segments')
      return { value: seconds * 1000, hash: hashOfTexts(String(count), bytesHashOfFiles(files)) }
    }
    return await hold(context, {
      name: `snapshot of ${segments} segments by hard links, and its release`,
      unit: 'ms',
      measured: { name: 'LiveSource.snapshot', measure },
      bar: { kind: 'value', atMost: 50 },
    })
  })
}

function nothingNew(context: BenchmarkContext) {
  const segments = context.size(10_000, 20)
  return context.withDirectory(async (path) => {
    mkdirSync(path)
    context.progress(`making ${segments} segments`)
    await makeLog(`${path}/data`, segments)
    const repository = await Repository.create(new DirectoryTarget(`${path}/repository`))
    const source = new DirectorySource(`${path}/data`)
    await runBackup(repository, source)
    return await hold(context, {
      name: `an incremental backup of ${segments} segments that finds nothing new`,
      unit: 's',
      measured: incremental(repository, source, path),
      bar: { kind: 'value', atMost: 1 },
      conditions: { source: 'a closed data directory, one partition; nothing of it is read' },
    })
  })
}

function incremental(repository: Repository, source: DirectorySource, path: string): Contender {
  const measure = async () => {
    let readBytes = -1
    const seconds = await secondsOf(async () => {
      const { figures } = await runBackup(repository, source)
      readBytes = figures.readBytes
    })
    assert.equal(readBytes, 0, 'no segment was read')
    return { value: seconds, hash: await hashOfLatest(repository, `${path}/restored`) }
  }
  return { name: 'runBackup', measure }
}

/** Of the segments that the newest backup gives back. */
async function hashOfLatest(repository: Repository, out: string): Promise<string> {
  try {
    const found = await new BackupCatalogue(repository).find('latest')
    await restoreBackup(repository, found, { to: out })
    return bytesHashOfFiles(segmentFilesIn(`${out}/bench-0`))
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

async function makeLog(path: string, segments: number): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const opened = await directory.createLog('bench', 0)
  const [record] = payloadOf(100, 100).records
  for (let segment = 0; segment < segments; segment++) {
    await opened.append({ ...record, timestamp: segment * 1000 })
    await opened.roll()
  }
}
