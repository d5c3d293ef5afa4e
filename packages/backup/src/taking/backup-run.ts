import { randomBytes } from 'node:crypto'
import { type Clock, type FileSystem, nodeFileSystem, systemClock } from '@varve/log'
import { IoThrottle } from '@varve/log/pacing'
import { InvalidArgumentError } from '@varve/record'
import type {
  BackupFigures,
  BackupGap,
  BackupKind,
  Manifest,
  StoredPartition,
} from '../format/manifest.ts'
import type { PartitionList } from '../format/partition-list.ts'
import { AuditLog } from '../repository/audit-log.ts'
import { BackupCatalogue, type BackupName, manifestKey } from '../repository/backup-catalogue.ts'
import { Lease } from '../repository/leases.ts'
import type { Repository } from '../repository/repository.ts'
import { readUnneeded } from '../repository/unneeded-objects.ts'
import { workDirectoryOf } from '../source/held-files.ts'
import type { BackupSource, SourceSnapshot } from '../source/source-snapshot.ts'
import { backupChannels } from './backup-events.ts'
import { type BackupState, BackupStateFile } from './backup-state.ts'
import { type History, readHistory } from './baseline.ts'
import { defaultThreads, encoderPool } from './encoder-pool.ts'
import type { ExtentEncoder } from './extent-encoder.ts'
import { KnownObjects } from './known-objects.ts'
import { PartitionsCopy } from './partitions-copy.ts'
import { type BackupProgress, ProgressMeter } from './progress-meter.ts'
import { referencesOf } from './references.ts'

export interface BackupOptions {
  /**
   * Where there is nothing yet to stand on it becomes a full one, whatever is asked for.
   * @defaultValue 'incremental'
   */
  readonly kind?: BackupKind
  /** The name under which the source's backups are kept. @defaultValue the source's own name */
  readonly source?: string
  /** A name for this moment, to restore it by. @defaultValue none */
  readonly point?: string
  /** @defaultValue [] */
  readonly tags?: readonly string[]
  /** A full backup that shares no object with any other. @defaultValue false */
  readonly isIndependent?: boolean
  /** Threads that read, check, compress and encrypt. @defaultValue one per processor, at most 2 */
  readonly threads?: number
  /** @defaultValue 0, no limit */
  readonly readBytesPerSecond?: number
  /** @defaultValue 0, no limit */
  readonly uploadBytesPerSecond?: number
  /** What is remembered between backups. @defaultValue beside the source */
  readonly stateDirectory?: string
  /** Where `stateDirectory` is. @defaultValue the real file system */
  readonly fs?: FileSystem
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BackupProgress) => void
  /** @defaultValue the system's */
  readonly clock?: Clock
  /** @defaultValue worker threads */
  readonly encoder?: ExtentEncoder
}

/** What a backup came to. */
export interface BackupReport {
  readonly backupId: string
  readonly kind: BackupKind
  readonly base: string | null
  readonly sequence: number
  readonly source: string
  readonly takenMs: number
  readonly partitions: number
  readonly segments: number
  /** What is missing from it. Not empty: the backup exists, and is not all that it should be. */
  readonly gaps: readonly BackupGap[]
  /** Damage in the source that earlier backups made good. */
  readonly findings: readonly BackupGap[]
  /** What else did not go as it should, in words; the backup is none the worse. */
  readonly warnings: readonly string[]
  readonly figures: BackupFigures
}

const zeroFigures = { readBytes: 0, newObjects: 0, newBytes: 0, recordBatches: 0 }

/**
 * Takes a backup. It exists when this resolves, durable and complete but for its `gaps`; when it
 * rejects there is none, and what was stored serves the next run.
 *
 * Rejects with TargetError, RepositoryBusyError, RepositoryRolledBackError, SnapshotUnstableError,
 * BackupKeyError, InvalidArgumentError, and with the signal's reason.
 */
export async function runBackup(
  repository: Repository,
  source: BackupSource,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const { clock = systemClock, threads = defaultThreads() } = options
  const { kind = 'incremental', isIndependent = false } = options
  if (isIndependent && kind !== 'full') {
    throw new InvalidArgumentError('isIndependent', true, 'is for full backups')
  }
  const names = { repository: repository.target.name, source: options.source ?? source.name }
  try {
    const lease = await Lease.take('backup', repository.target, clock)
    const encoder = options.encoder ?? encoderPool(threads)
    try {
      const run = new BackupRun(repository, source, { ...options, kind, threads, clock }, encoder)
      const report = await run.run(lease)
      backupChannels.taken.publish({ ...report, ...names, gaps: report.gaps.length })
      return report
    } finally {
      if (options.encoder === undefined) await encoder.close()
      // Whatever became of the backup, it has become; a lease that stays ends by itself.
      await lease.release().catch(() => undefined)
    }
  } catch (error) {
    // Whoever ends a backup knows.
    if (options.signal?.aborted !== true) backupChannels.failure.publish({ ...names, error })
    throw error
  }
}

type RunOptions = BackupOptions & Required<Pick<BackupOptions, 'kind' | 'threads' | 'clock'>>

interface TakenBackup {
  readonly report: Omit<BackupReport, 'warnings'>
  readonly state: BackupState
}

class BackupRun {
  readonly #repository: Repository
  readonly #source: BackupSource
  readonly #options: RunOptions
  readonly #encoder: ExtentEncoder
  readonly #catalogue: BackupCatalogue
  readonly #name: string
  readonly #backupId: string
  readonly #startedMs: number
  readonly #states: { readonly latest: BackupStateFile; readonly full: BackupStateFile }

  constructor(
    repository: Repository,
    source: BackupSource,
    options: RunOptions,
    encoder: ExtentEncoder,
  ) {
    this.#repository = repository
    this.#source = source
    this.#options = options
    this.#encoder = encoder
    this.#catalogue = new BackupCatalogue(repository)
    this.#name = options.source ?? source.name
    this.#startedMs = options.clock.now()
    this.#backupId = newBackupId(this.#startedMs)
    const directory = options.stateDirectory ?? `${workDirectoryOf(source.name)}/state`
    const { fs = nodeFileSystem } = options
    const { repositoryId } = repository.file
    const sourceId = this.#catalogue.sourceIdOf(this.#name)
    const place = `${directory}/${sourceId}`
    this.#states = {
      latest: new BackupStateFile(place, repositoryId, 'latest', fs),
      full: new BackupStateFile(place, repositoryId, 'full', fs),
    }
  }

  async run(lease: Lease): Promise<BackupReport> {
    const history = await this.#readHistory()
    const snapshot = await this.#source.snapshot({
      isStored: (segment) => history.base?.isStored(segment) === true,
    })
    const warnings = [...history.warnings]
    let taken: TakenBackup
    try {
      taken = await this.#take(lease, history, snapshot)
    } finally {
      await snapshot.release().catch((error: unknown) => {
        warnings.push(`what was held of the source is left behind: ${messageOf(error)}`)
      })
    }
    await this.#remember(taken.state).catch((error: unknown) => {
      warnings.push(
        `the next backup will take longer, this one is not remembered: ${messageOf(error)}`,
      )
    })
    return { ...taken.report, warnings }
  }

  #readHistory(): Promise<History> {
    return readHistory({
      repository: this.#repository,
      catalogue: this.#catalogue,
      sourceId: this.#catalogue.sourceIdOf(this.#name),
      kind: this.#options.kind,
      ...this.#states,
    })
  }

  /** What stands on nothing has read everything, whatever it was to be. */
  #kindOf({ base }: History): BackupKind {
    return base === null ? 'full' : this.#options.kind
  }

  async #take(lease: Lease, history: History, snapshot: SourceSnapshot): Promise<TakenBackup> {
    const kind = this.#kindOf(history)
    const sourceId = this.#catalogue.sourceIdOf(this.#name)
    const sets = this.#setsOf(history)
    const copied = await this.#copy(snapshot, history, sets)
    await lease.confirm()
    const { lists, partitions, figures } = copied
    const sequence = (history.latest?.sequence ?? 0) + 1
    const manifest: Manifest = {
      backupId: this.#backupId,
      kind,
      base: history.base?.state.manifest.backupId ?? null,
      sequence,
      previous: history.latestHash,
      source: this.#name,
      startedMs: this.#startedMs,
      takenMs: snapshot.takenMs,
      finishedMs: this.#options.clock.now(),
      point: this.#options.point ?? null,
      tags: this.#options.tags ?? [],
      sets,
      files: snapshot.files,
      partitions,
      gaps: copied.gaps,
      figures,
    }
    const name = { sourceId, sequence, backupId: this.#backupId }
    const fileHash = await this.#catalogue.publish(name, manifest, referencesOf(manifest, lists))
    await this.#confirm(lease, name)
    const segments = lists.reduce((sum, list) => sum + list.segments.length, 0)
    const { backupId, base, source, takenMs, gaps } = manifest
    const { findings } = copied
    const count = partitions.length
    const report = {
      ...{ backupId, kind, base, sequence, source, takenMs, partitions: count, segments },
      ...{ gaps, findings, figures },
    }
    return { report, state: { manifest, fileHash, lists } }
  }

  /**
   * A backup that came to be after its lease had ended may miss what was removed meanwhile. Where
   * that cannot be told it does not stay either: taking it again costs little.
   */
  async #confirm(lease: Lease, name: BackupName): Promise<void> {
    try {
      await lease.confirm()
    } catch (error) {
      await this.#withdraw(name).catch(() => undefined)
      throw error
    }
  }

  /** Said before it is done, as of all that goes by right. */
  async #withdraw({ backupId, ...name }: BackupName): Promise<void> {
    const { target, keys } = this.#repository
    const audit = new AuditLog(target, keys.naming.idKey)
    const atMs = this.#options.clock.now()
    await audit
      .add({ atMs, action: 'withdraw', details: backupId, actor: null })
      .finally(() => target.remove(manifestKey({ ...name, backupId })))
  }

  /** The sets of the base, and last the one that takes what is new. */
  #setsOf(history: History): readonly string[] {
    const { isIndependent = false } = this.#options
    const before = history.base?.state.manifest.sets ?? []
    // A differential backup stands on the full one alone, whatever became of those between.
    const isOwn = isIndependent || this.#kindOf(history) === 'differential'
    const own = isOwn ? this.#backupId : 'main'
    return before.includes(own) ? before : [...before, own]
  }

  async #copy(snapshot: SourceSnapshot, history: History, sets: readonly string[]) {
    const { clock, threads, signal = null } = this.#options
    const isOwn = sets.includes(this.#backupId)
    const set = isOwn ? this.#backupId : 'main'
    const unneeded = await readUnneeded(this.#repository.target)
    const known = new KnownObjects(unneeded.sinceMs.keys())
    // With a base there is little to do, and most of it is new.
    if (history.base === null && !isOwn) await known.load(this.#repository.target, set)
    const figures = { ...zeroFigures }
    const totalBytes = snapshot.partitions
      .flatMap(({ segments }) => segments)
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const meter = new ProgressMeter(totalBytes, clock, this.#options.onProgress)
    const copy = new PartitionsCopy({
      repository: this.#repository,
      catalogue: this.#catalogue,
      encoder: this.#encoder,
      known,
      set,
      setIndex: sets.indexOf(set),
      reading: new IoThrottle(this.#options.readBytesPerSecond ?? 0, clock, signal),
      uploading: new IoThrottle(this.#options.uploadBytesPerSecond ?? 0, clock, signal),
      signal,
      base: history.base,
      good: isOwn && history.base === null ? null : history.newest,
      sets,
      lanes: threads + 1,
      takenOver: (bytes) => meter.skip(bytes),
      advanced: (step) => {
        figures.readBytes += step.readBytes
        figures.newObjects += step.newObjects
        figures.newBytes += step.newBytes
        figures.recordBatches += step.recordBatches
        meter.advance(step.readBytes)
      },
    })
    const result = await copy.run(snapshot)
    meter.finish()
    const partitions: readonly StoredPartition[] = result.partitions
    const lists: readonly PartitionList[] = result.lists
    const stored = partitions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const durationMs = clock.now() - this.#startedMs
    return {
      partitions,
      lists,
      gaps: result.gaps,
      findings: result.findings,
      figures: { ...figures, totalBytes: stored, durationMs },
    }
  }

  async #remember(state: BackupState): Promise<void> {
    await this.#states.latest.write(state)
    if (state.manifest.kind === 'full') await this.#states.full.write(state)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** As `backupIdPattern` says. */
function newBackupId(nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]/g, '')
  return `${time}-${randomBytes(4).toString('hex')}`
}
