import { createHash } from 'node:crypto'
import {
  CorruptRepositoryError,
  MissingObjectError,
  RepositoryRolledBackError,
} from '../base/backup-errors.ts'
import type { BackupKind, StoredPartition } from '../format/manifest.ts'
import type { StoredExtent, StoredSegment } from '../format/partition-list.ts'
import { type AuditEntry, AuditLog } from '../repository/audit-log.ts'
import {
  type BackupCatalogue,
  type BackupName,
  manifestKey,
  type ReadManifest,
} from '../repository/backup-catalogue.ts'
import type { Repository } from '../repository/repository.ts'
import type {
  PartitionSnapshot,
  SegmentIdentity,
  SegmentSnapshot,
} from '../source/source-snapshot.ts'
import type { BackupState, BackupStateFile } from './backup-state.ts'
import type { TakenOver } from './segment-copy.ts'

/** What earlier backups of a source hold, to be taken over by the next. */
export class Baseline {
  readonly state: BackupState
  readonly #segments: ReadonlyMap<string, StoredSegment>
  readonly #partitions: ReadonlyMap<string, StoredPartition>
  readonly #files: ReadonlySet<string>

  constructor(state: BackupState) {
    this.state = state
    this.#partitions = new Map(
      state.manifest.partitions.map((stored) => [segmentName(stored, -1), stored]),
    )
    this.#segments = new Map(
      state.manifest.partitions.flatMap((stored, index) =>
        (state.lists[index]?.segments ?? []).map((segment) => [
          segmentName({ ...stored }, segment.baseOffset),
          segment,
        ]),
      ),
    )
    const unhurt = state.lists.flatMap(({ segments }) => segments).filter(isReusable)
    this.#files = new Set(unhurt.map(fileName))
  }

  /** Whether a segment need not be read: its very file was stored, sealed. */
  isStored(segment: SegmentIdentity): boolean {
    return segment.isSealed && this.#files.has(fileName(segment))
  }

  /** The partition as it was stored; null when it was not. */
  listOf(partition: PartitionSnapshot): StoredPartition | null {
    return this.#partitions.get(segmentName(partition, -1)) ?? null
  }

  /** The segment as it was stored; null when it was not. */
  find(partition: PartitionSnapshot, segment: SegmentSnapshot): StoredSegment | null {
    return this.#segments.get(segmentName(partition, segment.baseOffset)) ?? null
  }
}

/** A topic that was made again under its name has another id. */
function segmentName(
  { topic, partition, topicId }: Pick<PartitionSnapshot, 'topic' | 'partition' | 'topicId'>,
  baseOffset: number,
): string {
  return `${topic}-${partition} ${topicId ?? ''} ${baseOffset}`
}

/** Whether it is the same file, sealed then and now: nobody writes into it. */
export function isUnchanged(stored: StoredSegment, found: SegmentSnapshot): boolean {
  return isReusable(stored) && found.isSealed && fileName(stored) === fileName(found)
}

const isReusable = ({ isSealed, damage }: StoredSegment): boolean => isSealed && damage === null

function fileName({
  baseOffset,
  fileId,
  sizeBytes,
  modifiedMs,
}: Pick<StoredSegment, 'baseOffset' | 'fileId' | 'sizeBytes' | 'modifiedMs'>): string {
  return `${baseOffset} ${fileId} ${sizeBytes} ${modifiedMs}`
}

/** So many small extents at the end of a segment are kept before they are made into larger ones. */
const smallExtentsMax = 16

/**
 * What can be taken over of a segment that has grown, if nothing of what was stored has changed:
 * `checked` is what tells, it is the last extent. Null when it is not the same file any more.
 */
export function grownFrom(
  stored: StoredSegment,
  found: SegmentSnapshot,
  objectBytes: number,
): { readonly taken: TakenOver; readonly checked: StoredExtent } | null {
  const isSame =
    !stored.isSealed && stored.damage === null && stored.fileId === found.fileId && found.fileId > 0
  const checked = stored.extents.at(-1)
  if (!isSame || found.sizeBytes < stored.sizeBytes || checked === undefined) return null
  const large = stored.extents.findLastIndex(({ sizeBytes }) => sizeBytes >= objectBytes / 2) + 1
  const isTooSmall = stored.extents.length - large > smallExtentsMax
  const extents = isTooSmall ? stored.extents.slice(0, large) : stored.extents
  const nextOffset = isTooSmall ? stored.baseOffset : stored.nextOffset
  return { taken: { extents, maxTimestamp: stored.maxTimestamp, nextOffset }, checked }
}

/** Backups of one source, as the repository and what is remembered beside the source tell. */
export interface History {
  readonly latest: BackupName | null
  /** SHA-256 of the latest manifest's file; null when it is not known here. */
  readonly latestHash: Buffer | null
  readonly base: Baseline | null
  /** What the latest one holds, whatever the next one stands on. */
  readonly newest: Baseline | null
  /** Earlier backups that are damaged, in words. */
  readonly warnings: readonly string[]
}

export interface HistoryOptions {
  readonly repository: Repository
  readonly catalogue: BackupCatalogue
  readonly sourceId: string
  readonly kind: BackupKind
  readonly latest: BackupStateFile
  readonly full: BackupStateFile
}

/**
 * Looks at what there is. Rejects with RepositoryRolledBackError when the repository has less than
 * this source put there and nobody tidied up.
 */
export async function readHistory(options: HistoryOptions): Promise<History> {
  const { repository, catalogue, sourceId, kind } = options
  const names = await catalogue.list(sourceId)
  const latest = names.at(-1) ?? null
  const remembered = options.latest.read()
  await refuseRollback(repository, latest, remembered, options.latest.path)
  const isRemembered = remembered !== null && remembered.manifest.backupId === latest?.backupId
  const warnings: string[] = []
  const read = isRemembered ? remembered : await newestReadable(options, names, warnings)
  const newest = read && new Baseline(read)
  const history = { latest, latestHash: await hashOf(repository, latest), newest, warnings }
  if (kind === 'full') return { ...history, base: null }
  if (kind !== 'differential') return { ...history, base: newest }
  const full = await fullOf(options, names, warnings)
  return { ...history, base: full && new Baseline(full) }
}

/** Of the file of a manifest: that takes no key. */
async function hashOf(repository: Repository, name: BackupName | null): Promise<Buffer | null> {
  const bytes = name && (await repository.target.get(manifestKey(name)))
  return bytes && createHash('sha256').update(bytes).digest()
}

async function refuseRollback(
  repository: Repository,
  latest: BackupName | null,
  remembered: BackupState | null,
  path: string,
): Promise<void> {
  if (remembered === null || remembered.manifest.sequence <= (latest?.sequence ?? 0)) return
  const audit = new AuditLog(repository.target, repository.keys.naming.idKey)
  const isPruned = ({ action, details }: AuditEntry): boolean =>
    action === 'prune' && details === remembered.manifest.backupId
  if ((await audit.read()).some(isPruned)) return
  const { backupId, sequence } = remembered.manifest
  const found = latest === null ? 'there is none' : `the latest there is ${latest.backupId}`
  const reason = `backup ${backupId}, number ${sequence} of this source, is gone and ${found}`
  throw new RepositoryRolledBackError(repository.target.name, `${reason} (remembered in ${path})`)
}

/**
 * The newest backup that is whole, as far as is looked at here; null when there is none, or nothing
 * can be read with the keys that there are. That one is damaged keeps nobody from taking the next.
 */
async function newestReadable(
  options: HistoryOptions,
  names: readonly BackupName[],
  warnings: string[],
  kind: BackupKind | null = null,
): Promise<BackupState | null> {
  if (!options.repository.keys.canRead) return null
  for (const name of names.toReversed()) {
    try {
      const read = await options.catalogue.read(name)
      if (kind === null || read.manifest.kind === kind) return await stateOf(options, read)
    } catch (error) {
      const isDamaged =
        error instanceof CorruptRepositoryError || error instanceof MissingObjectError
      if (!isDamaged) throw error
      warnings.push(`nothing is taken over from backup ${name.backupId}: ${error.message}`)
    }
  }
  return null
}

async function stateOf(
  { catalogue }: HistoryOptions,
  { manifest, fileHash }: ReadManifest,
): Promise<BackupState> {
  const lists = []
  for (const stored of manifest.partitions) {
    lists.push(await catalogue.partitionList(manifest, stored))
  }
  return { manifest, fileHash, lists }
}

async function fullOf(
  options: HistoryOptions,
  names: readonly BackupName[],
  warnings: string[],
): Promise<BackupState | null> {
  const remembered = options.full.read()
  if (names.some(({ backupId }) => backupId === remembered?.manifest.backupId)) return remembered
  return newestReadable(options, names, warnings, 'full')
}
