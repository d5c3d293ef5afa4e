import {
  type Finding,
  type Log,
  LogDirectory,
  type LogDirectoryOptions,
  verifyPath,
} from '@varve/log'
import { ManualClock, type Random, SimulatedFileSystem } from '@varve/log/testing'
import {
  type Batch,
  type CompressionType,
  endTransactionMarkerBatch,
  type RecordBatch,
  RecordBatchBuilder,
  type RecordInput,
} from '@varve/record'
import type { Unlocking } from '../../src/keys/key-ring.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { BackupCatalogue, type ReadManifest } from '../../src/repository/backup-catalogue.ts'
import { type CreateRepositoryOptions, Repository } from '../../src/repository/repository.ts'
import {
  type RestoreOptions,
  type RestoreReport,
  restoreBackup,
} from '../../src/restoring/restore-run.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { type BackupOptions, type BackupReport, runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'

export const sourcePath = '/source'
export const repositoryPath = '/repository'
export const restoredPath = '/place/restored'

export const codecs: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Segments of a few batches, indexes of a few entries. */
const log = { segmentBytes: 8192, indexIntervalBytes: 256 }

/** A source, a repository and a place to restore to, in one simulated file system. */
export class Scene {
  readonly fs: SimulatedFileSystem
  readonly clock: ManualClock
  readonly repository: Repository

  private constructor(fs: SimulatedFileSystem, clock: ManualClock, repository: Repository) {
    this.fs = fs
    this.clock = clock
    this.repository = repository
  }

  static async make(options: CreateRepositoryOptions = {}): Promise<Scene> {
    const clock = new ManualClock()
    const fs = new SimulatedFileSystem({ clock })
    fs.makeDirectories('/place')
    const target = new DirectoryTarget(repositoryPath, { fs })
    // Small objects: several to a segment.
    const repository = await Repository.create(target, { objectBytes: 2048, ...options })
    return new Scene(fs, clock, repository)
  }

  /** The same scene after a crash. */
  async after(fs: SimulatedFileSystem, unlocking: Unlocking | null = null): Promise<Scene> {
    const target = new DirectoryTarget(repositoryPath, { fs })
    return new Scene(fs, this.clock, await Repository.open(target, unlocking))
  }

  openSource(options: LogDirectoryOptions = {}): Promise<LogDirectory> {
    return this.open(sourcePath, options)
  }

  open(path: string, options: LogDirectoryOptions = {}): Promise<LogDirectory> {
    const { fs, clock } = this
    return LogDirectory.open(path, { fs, clock, random: () => 0.5, log, ...options })
  }

  backUp(source: LogDirectory, options: BackupOptions = {}): Promise<BackupReport> {
    const { fs, clock } = this
    clock.advance(1000)
    const live = new LiveSource(source, { fs, now: () => clock.now() })
    return runBackup(this.repository, live, {
      ...{ fs, clock, encoder: inlineEncoder(fs), threads: 1 },
      ...options,
    })
  }

  latest(): Promise<ReadManifest> {
    return new BackupCatalogue(this.repository).find('latest')
  }

  async restore(options: Partial<RestoreOptions> = {}): Promise<RestoreReport> {
    return this.restoreBackup(await this.latest(), options)
  }

  restoreBackup(
    backup: ReadManifest,
    options: Partial<RestoreOptions> = {},
  ): Promise<RestoreReport> {
    const { fs, clock } = this
    return restoreBackup(this.repository, backup, {
      ...{ to: restoredPath, fs, clock, threads: 1 },
      ...{ decoder: inlineDecoder(), encoder: inlineEncoder(fs) },
      ...options,
    })
  }

  /** What `varve verify` would find, but for remarks. */
  async findingsIn(path: string = restoredPath): Promise<readonly Finding[]> {
    const findings: Finding[] = []
    for await (const finding of verifyPath(path, { fs: this.fs })) {
      if (finding.severity !== 'note') findings.push(finding)
    }
    return findings
  }

  /** Bytes of the `.log` files of a partition, by name. */
  logFiles(directory: string): ReadonlyMap<string, Buffer> {
    const names = this.fs.list(directory).filter((name) => name.endsWith('.log'))
    return new Map(names.sort().map((name) => [name, this.fs.bytesOf(`${directory}/${name}`)]))
  }

  /** Every file below a path with its bytes, but for locks: two directories that are the same. */
  treeOf(path: string): ReadonlyMap<string, string> {
    const files = [...this.fs.tree()].filter(
      ([name, stat]) => name.startsWith(`${path}/`) && !stat.isDirectory && !name.endsWith('.lock'),
    )
    return new Map(
      files.map(([name]) => [name.slice(path.length), this.fs.bytesOf(name).toString('base64')]),
    )
  }
}

/** What a record is, to be compared. */
export interface SeenRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: ReadonlyArray<readonly [string, string | null]>
  /** What its batch says: producer, sequence, type, codec. */
  readonly batch: string
}

/** Every record of a log, control records included, with all that is known of it. */
export async function recordsOf(
  log: Log,
  before = Number.POSITIVE_INFINITY,
): Promise<SeenRecord[]> {
  const seen: SeenRecord[] = []
  if (log.logStartOffset >= log.highWatermark) return seen
  for await (const batch of log.reader({ from: log.logStartOffset })) {
    for (const record of batch.records()) {
      if (record.offset >= before || record.offset < log.logStartOffset) continue
      seen.push({
        offset: record.offset,
        timestamp: record.timestamp,
        key: record.key?.toString('hex') ?? null,
        value: record.value?.toString('hex') ?? null,
        headers: record.headers.map(({ key, value }) => [key, value?.toString('hex') ?? null]),
        batch: describe(batch),
      })
    }
  }
  return seen
}

function describe(batch: Batch): string {
  const { producerId, producerEpoch, isTransactional, isControl, compressionType } = batch
  const { timestampType, leaderEpoch, baseOffset, baseSequence } = batch
  return [
    ...[baseOffset, baseSequence, producerId, producerEpoch, isTransactional, isControl],
    ...[compressionType, timestampType, leaderEpoch],
  ].join()
}

/** A batch of every sort that clients send. */
export function randomBatch(random: Random, startMs: number): RecordBatch {
  const builder = new RecordBatchBuilder({
    compressionType: random.pick(codecs),
    timestampType: random.int(4) === 0 ? 'LogAppendTime' : 'CreateTime',
    defaultTimestamp: startMs,
  })
  for (let count = 1 + random.int(6); count > 0; count--)
    builder.append(randomRecord(random, startMs))
  return builder.build()
}

export function randomRecord(random: Random, startMs: number): RecordInput {
  const headers = Array.from({ length: random.int(3) }, () => ({
    // The same key again and again, and values that are not there.
    key: `h${random.int(2)}`,
    value: random.int(3) === 0 ? null : random.bytes(random.int(9)),
  }))
  return {
    key: random.int(5) === 0 ? null : `k${random.int(40)}`,
    value: random.int(6) === 0 ? null : random.bytes(random.int(160)),
    headers,
    // Not in order, as clocks of producers are not.
    timestamp: Math.max(0, startMs + random.int(2000) - 1000),
  }
}

/** A producer with an id: numbered batches, transactions. */
export class SceneProducer {
  readonly #log: Log
  readonly #producerId: number
  #sequence = 0

  constructor(log: Log, producerId: number) {
    this.#log = log
    this.#producerId = producerId
  }

  async send(count: number, options: SendOptions): Promise<void> {
    const { timestamp, isTransactional = true, compressionType = 'none' } = options
    const builder = new RecordBatchBuilder({
      ...{ producerId: this.#producerId, producerEpoch: 0, baseSequence: this.#sequence },
      ...{ isTransactional, compressionType, defaultTimestamp: timestamp },
    })
    for (let index = 0; index < count; index++) {
      builder.append({ key: `p${this.#producerId}`, value: `s${this.#sequence + index}` })
    }
    this.#sequence += count
    await this.#log.appendBatch(builder.build())
  }

  async end(type: 'abort' | 'commit', timestamp: number): Promise<void> {
    const marker = endTransactionMarkerBatch({
      ...{ type, producerId: this.#producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp },
    })
    await this.#log.appendBatch(marker, { origin: 'coordinator' })
  }
}

interface SendOptions {
  readonly timestamp: number
  readonly isTransactional?: boolean
  readonly compressionType?: CompressionType
}
