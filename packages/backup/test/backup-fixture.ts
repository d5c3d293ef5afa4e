import { CleanedSegmentWriter, type Log, LogDirectory, type LogOptions } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import type { PartitionList } from '../src/format/partition-list.ts'
import { BackupCatalogue } from '../src/repository/backup-catalogue.ts'
import { type CreateRepositoryOptions, Repository } from '../src/repository/repository.ts'
import { LiveSource } from '../src/source/live-source.ts'
import { type BackupOptions, type BackupReport, runBackup } from '../src/taking/backup-run.ts'
import { inlineEncoder } from '../src/taking/extent-encoder.ts'
import { DirectoryTarget } from '../src/target/directory-target.ts'
import type { Target } from '../src/target/target.ts'

export const dataPath = '/data'
export const repositoryPath = '/backups/repository'

/** Keys that cost little. */
export const cheapPassphrase = { passphrase: 'correct horse', scryptN: 1024, rsaBits: 2048 }

/** A machine with a data directory and a repository, all in memory. */
export class Machine {
  readonly fs: SimulatedFileSystem
  readonly clock: ManualClock

  constructor(fs?: SimulatedFileSystem, clock: ManualClock = new ManualClock()) {
    this.clock = clock
    this.fs = fs ?? new SimulatedFileSystem({ clock })
  }

  get target(): DirectoryTarget {
    return new DirectoryTarget(repositoryPath, { fs: this.fs })
  }

  /** Objects are small, so that segments have several. */
  create(options: CreateRepositoryOptions = {}): Promise<Repository> {
    return Repository.create(this.target, { objectBytes: 2048, ...options })
  }

  openData(options: LogOptions = {}): Promise<LogDirectory> {
    const { fs, clock } = this
    const small = { segmentBytes: 16_384, indexIntervalBytes: 512, fileDeleteDelayMs: 0 }
    return LogDirectory.open(dataPath, { fs, clock, log: { ...small, ...options } })
  }

  /** A backup of an open data directory. */
  back(
    repository: Repository,
    directory: LogDirectory,
    options: BackupOptions = {},
  ): Promise<BackupReport> {
    this.clock.advance(1000)
    const source = new LiveSource(directory, { fs: this.fs, now: () => this.clock.now() })
    return runBackup(repository, source, this.runOptions(options))
  }

  runOptions(options: BackupOptions = {}): BackupOptions {
    const { fs, clock } = this
    return { fs, clock, encoder: inlineEncoder(fs), threads: 2, ...options }
  }
}

/** So many records of about 100 bytes, one a batch, with text that can be told apart. */
export async function appendRecords(log: Log, count: number, text = 'r'): Promise<void> {
  for (let index = 0; index < count; index++) {
    const offset = log.logEndOffset
    const value = `${text} ${offset} `.padEnd(80, String(offset))
    await log.append({ key: `k${offset}`, value, timestamp: 1000 + offset }, { acks: 'written' })
  }
}

export interface StoredBytes {
  readonly list: PartitionList
  /** Of each segment. */
  readonly segments: readonly Buffer[]
}

/** What a backup has of each partition, every object read and proven. */
export async function storedBytes(
  repository: Repository,
  wanted = 'latest',
): Promise<ReadonlyMap<string, StoredBytes>> {
  const catalogue = new BackupCatalogue(repository)
  const { manifest } = await catalogue.find(wanted)
  const all = new Map<string, StoredBytes>()
  for (const stored of manifest.partitions) {
    const list = await catalogue.partitionList(manifest, stored)
    const segments: Buffer[] = []
    for (const segment of list.segments) {
      const set = manifest.sets[segment.set] ?? ''
      const parts: Buffer[] = []
      for (const { id } of segment.extents) {
        parts.push(await repository.getObject('data', set, id))
      }
      segments.push(Buffer.concat(parts))
    }
    all.set(`${stored.topic}-${stored.partition}`, { list, segments })
  }
  return all
}

/** The visible bytes of a log's segments, as the source has them now. */
export function sourceBytes(machine: Machine, log: Log): readonly Buffer[] {
  using snapshot = log.snapshot()
  return snapshot.segments.map(({ path, sizeBytes }) =>
    machine.fs.bytesOf(path).subarray(0, sizeBytes),
  )
}

/** Compaction, as far as a backup sees it: sealed segments become one, with fewer batches. */
export async function compact(
  machine: Machine,
  log: Log,
  keeps: (offset: number) => boolean,
): Promise<void> {
  const sealed = log.segments().slice(0, -1)
  const first = sealed[0]
  const last = sealed.at(-1)
  if (first === undefined || last === undefined) return
  const writer = new CleanedSegmentWriter(log.directory, first.baseOffset, { fs: machine.fs })
  const reader = log.reader({ from: first.baseOffset })
  for await (const batch of reader) {
    if (batch.baseOffset >= last.nextOffset) break
    if (keeps(batch.baseOffset)) await writer.append(batch)
  }
  await log.replaceSegments([await writer.finish(last.nextOffset)], sealed)
}

/** Keys of the files of a repository. */
export async function keysOf(target: Target, prefix = ''): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of target.list(prefix)) keys.push(key)
  return keys
}
