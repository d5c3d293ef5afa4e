import assert from 'node:assert/strict'
import {
  closeSync,
  cpSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import {
  BackupCatalogue,
  DirectorySource,
  DirectoryTarget,
  Repository,
  restoreBackup,
  runBackup,
  verifyRepository,
} from '@varve/backup'
import { Cleaner } from '@varve/cleaner'
import { type Log, LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import {
  contentHash,
  contentHashOfFiles,
  newestHash,
  segmentFilesIn,
  survivorsHash,
} from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { payloadOf } from '../harness/payload.ts'
import { SeededRandom } from '../harness/random.ts'

const KiB = 1024
const MiB = KiB * KiB
const groupBytes = 64 * KiB
const groupsInFlight = 16
const log = { segmentBytes: 32 * MiB, acks: 'written' } as const

interface Sizes {
  readonly recordBytes: number
  readonly records: number
}

/** A log of records of one size, closed, of which half are superseded by others. */
interface Corpus extends Sizes {
  readonly path: string
  readonly bytes: number
  /** Hash of all its records. */
  readonly content: string
  /** Hash of the newest record of each key, with its offset. */
  readonly newest: string
}

export const recordSizes: Benchmark = {
  name: 'record-sizes',
  summary: 'everything that is done with a log, by the size of its records, beside copying as much',
  async run(context) {
    const figures: Figure[] = []
    for (const recordBytes of [100, KiB, 10 * KiB]) {
      figures.push(
        ...(await context.withDirectory(async (path) => {
          mkdirSync(path)
          context.progress(`writing records of ${recordBytes} bytes`)
          const corpus = await makeCorpus(context, `${path}/data`, recordBytes)
          return await ofCorpus(context, corpus, path)
        })),
      )
    }
    return figures
  },
}

async function ofCorpus(
  context: BenchmarkContext,
  corpus: Corpus,
  path: string,
): Promise<readonly Figure[]> {
  const { recordBytes, bytes } = corpus
  const out = `${path}/out`
  const repository = `${path}/repository`
  await backUp(corpus, repository)
  const works: Readonly<Record<string, Work>> = {
    'append, written': { work: () => fill(corpus, out, 'written'), leaves: () => hashIn(out) },
    'append, flushed': { work: () => fill(corpus, out, 'flushed'), leaves: () => hashIn(out) },
    'read, CRC checked': { work: () => readAll(corpus), leaves: () => hashIn(corpus.path) },
    'tail, while it is appended': {
      work: () => appendAndFollow(corpus, out),
      leaves: () => hashIn(out),
    },
    'recover, scanning all': {
      prepare: () => copyUnclean(corpus, out),
      work: () => openAndClose(out),
      leaves: () => hashIn(out),
    },
    compact: {
      prepare: () => cpSync(corpus.path, out, { recursive: true }),
      work: () => compact(out),
      leaves: () => hashIn(out, survivorsHash),
      isLess: true,
    },
    'back up': { work: () => backUp(corpus, out), leaves: () => hashOfBackup(out, path) },
    verify: { work: () => verify(repository), leaves: () => hashOfBackup(repository, path) },
    restore: { work: () => restore(repository, out), leaves: () => hashIn(out) },
  }
  const figures: Figure[] = []
  for (const [what, given] of Object.entries(works)) {
    const expected = given.isLess === true ? corpus.newest : corpus.content
    const ours = { ...given, leaves: () => checked(what, given.leaves, expected) }
    figures.push(
      await hold(context, {
        name: `${recordBytes} B, ${what}`,
        unit: 'MB/s',
        measured: contender('varve', corpus, out, ours),
        limit: contender('bare reading and writing of the segments, one fdatasync', corpus, out, {
          work: () => copySegments(corpus, out),
          leaves: async () => {
            assert.equal(contentHashOfFiles([out]), corpus.content, 'everything was copied')
            // It compacts nothing: what it stands beside is what is known to be left.
            return expected
          },
        }),
        plot: { curve: what, along: 'bytes a record', at: recordBytes },
        conditions: {
          payload: payloadOf(recordBytes, 512).description,
          log: `${Math.round(bytes / 1e6)} MB, in the page cache; groups of ${groupBytes / KiB} KiB, ${groupsInFlight} in flight`,
          keys: 'two records for each on average',
        },
      }),
    )
  }
  return figures
}

interface Work {
  readonly prepare?: () => void
  readonly work: () => Promise<void>
  /** Hash of what the work has left or read, found out when it is over. */
  readonly leaves: () => Promise<string>
  /** Whether only the newest record of each key is left. */
  readonly isLess?: true
}

function contender(
  name: string,
  { bytes }: Corpus,
  out: string,
  { prepare, work, leaves }: Work,
): Contender {
  const measure = async () => {
    prepare?.()
    try {
      const seconds = await secondsOf(work)
      return { value: bytes / 1e6 / seconds, hash: await leaves() }
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  }
  return { name, measure }
}

async function makeCorpus(
  context: BenchmarkContext,
  path: string,
  recordBytes: number,
): Promise<Corpus> {
  const records = Math.floor(context.size(64 * MiB, MiB) / recordBytes)
  const sizes = { path, recordBytes, records }
  await fill(sizes, path, 'written')
  await using directory = await LogDirectory.open(path, { log })
  const opened = directory.log('bench', 0)
  const content = await contentHash(opened)
  return { ...sizes, bytes: opened.sizeBytes, content, newest: await newestHash(opened) }
}

async function checked(
  what: string,
  leaves: () => Promise<string>,
  expected: string,
): Promise<string> {
  const hash = await leaves()
  assert.equal(hash, expected, `${what} leaves what it should`)
  return hash
}

async function hashIn(
  path: string,
  hashOf: (opened: Log) => Promise<string> = contentHash,
): Promise<string> {
  await using directory = await LogDirectory.open(path, { log })
  return await hashOf(directory.log('bench', 0))
}

/** Of what a restore of it gives. */
async function hashOfBackup(repository: string, path: string): Promise<string> {
  const restored = `${path}/restored`
  try {
    await restore(repository, restored)
    return contentHashOfFiles(segmentFilesIn(`${restored}/bench-0`))
  } finally {
    rmSync(restored, { recursive: true, force: true })
  }
}

/** The same records each time. */
async function fill(corpus: Sizes, path: string, acks: 'written' | 'flushed'): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const opened = await directory.createLog('bench', 0)
  await appendAll(corpus, opened, acks)
  await opened.roll()
}

async function appendAll(
  { recordBytes, records }: Sizes,
  opened: Log,
  acks: 'written' | 'flushed',
): Promise<void> {
  const random = new SeededRandom(17)
  const { records: given } = payloadOf(recordBytes, 512)
  const perGroup = Math.max(1, Math.floor(groupBytes / recordBytes))
  let sent = 0
  const call = async (): Promise<void> => {
    while (sent < records) {
      const count = Math.min(perGroup, records - sent)
      const group = Array.from({ length: count }, (_, index) => {
        const key = `user-${String(random.integer(records / 2)).padStart(7, '0')}`
        return { key, value: given[(sent + index) % given.length]?.value ?? null }
      })
      sent += count
      await opened.append(group, { acks })
    }
  }
  await Promise.all(Array.from({ length: groupsInFlight }, call))
}

async function readAll({ path, records }: Corpus): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const reader = directory.log('bench', 0).reader({ from: 0, reuseMemory: true })
  let seen = 0
  for (let batches = await reader.nextBatches(); batches !== null; ) {
    for (const batch of batches) {
      for (const { key, value } of batch.records()) if (key !== null && value !== null) seen += 1
    }
    batches = await reader.nextBatches()
  }
  assert.equal(seen, records, 'every record was read')
}

/** As fast as one follower in the same process keeps up. */
async function appendAndFollow(corpus: Corpus, path: string): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const opened = await directory.createLog('bench', 0)
  const reader = opened.reader({ from: 0, follow: true })
  const following = (async () => {
    for (let seen = 0; seen < corpus.records; ) {
      const batches = (await reader.nextBatches()) ?? []
      for (const batch of batches) for (const { value } of batch.records()) seen += value ? 1 : 0
    }
  })()
  await Promise.all([appendAll(corpus, opened, 'written'), following])
}

/** As a killed process leaves it, with nothing known to be flushed but what was sealed. */
function copyUnclean({ path }: Corpus, out: string): void {
  cpSync(path, out, { recursive: true })
  const leaves = ['.kafka_cleanshutdown', 'recovery-point-offset-checkpoint', 'bench-0/progress']
  for (const name of leaves) rmSync(`${out}/${name}`, { force: true })
}

async function openAndClose(path: string): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const { scannedBytes } = directory.log('bench', 0).recoveryReport
  assert.ok(scannedBytes > 0, 'segments were scanned')
}

async function compact(path: string): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const policy = () => ({ cleanupPolicy: ['compact'] as const, minCleanableDirtyRatio: 0 })
  await using cleaner = new Cleaner(directory, { policy, workers: 1 })
  const { compaction } = await cleaner.runOnce()
  assert.equal(compaction.size, 1, 'the log was compacted')
}

async function backUp({ path }: Corpus, repositoryPath: string): Promise<void> {
  const repository = await Repository.create(new DirectoryTarget(repositoryPath))
  const { gaps } = await runBackup(repository, new DirectorySource(path), { kind: 'full' })
  assert.equal(gaps.length, 0, 'nothing is missing')
}

async function verify(path: string): Promise<void> {
  const { findings } = await verifyRepository(await Repository.open(new DirectoryTarget(path)))
  assert.equal(findings.length, 0, 'all is sound')
}

async function restore(path: string, to: string): Promise<void> {
  const repository = await Repository.open(new DirectoryTarget(path))
  const found = await new BackupCatalogue(repository).find('latest')
  await restoreBackup(repository, found, { to })
}

async function copySegments({ path, bytes }: Corpus, out: string): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(MiB)
  const target = openSync(out, 'wx')
  let copied = 0
  for (const name of readdirSync(`${path}/bench-0`).toSorted()) {
    if (!name.endsWith('.log')) continue
    const source = openSync(`${path}/bench-0/${name}`, 'r')
    for (let count = readSync(source, buffer); count > 0; count = readSync(source, buffer)) {
      copied += writeSync(target, buffer, 0, count)
    }
    closeSync(source)
  }
  fdatasyncSync(target)
  closeSync(target)
  assert.equal(copied, bytes, 'all segments were copied')
}
