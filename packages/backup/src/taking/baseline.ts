import { RepositoryRolledBackError } from '../base/backup-errors.ts'
import type { BackupKind } from '../format/manifest.ts'
import type { StoredExtent, StoredSegment } from '../format/partition-list.ts'
import { type AuditEntry, AuditLog } from '../repository/audit-log.ts'
import type { BackupCatalogue, BackupName } from '../repository/backup-catalogue.ts'
import type { Repository } from '../repository/repository.ts'
import type { PartitionSnapshot, SegmentSnapshot } from '../source/source-snapshot.ts'
import type { BackupState, BackupStateFile } from './backup-state.ts'
import type { TakenOver } from './segment-copy.ts'

/** What earlier backups of a source hold, to be taken over by the next. */
export class Baseline {
  readonly state: BackupState
  readonly #segments: ReadonlyMap<string, StoredSegment>

  constructor(state: BackupState) {
    this.state = state
    this.#segments = new Map(
      state.manifest.partitions.flatMap((stored, index) =>
        (state.lists[index]?.segments ?? []).map((segment) => [
          segmentName({ ...stored }, segment.baseOffset),
          segment,
        ]),
      ),
    )
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
  return (
    stored.isSealed &&
    found.isSealed &&
    stored.damage === null &&
    stored.fileId === found.fileId &&
    stored.sizeBytes === found.sizeBytes &&
    stored.modifiedMs === found.modifiedMs
  )
}

/** So many small extents at the end of a segment are kept, before they are made into larger ones. */
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
  return { taken: { extents, maxTimestamp: stored.maxTimestamp }, checked }
}

/** Backups of one source, as the repository and what is remembered beside the source tell. */
export interface History {
  readonly latest: BackupName | null
  /** SHA-256 of the latest manifest's file; null when it is not known here. */
  readonly latestHash: Buffer | null
  readonly base: Baseline | null
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
  const read = isRemembered ? remembered : await readState(options, latest)
  const base =
    kind === 'full' ? null : kind === 'differential' ? await fullOf(options, names) : read
  return {
    latest,
    latestHash: read?.fileHash ?? null,
    base: base && new Baseline(base),
  }
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

/** Null when it cannot be read with the keys that there are. */
async function readState(
  { repository, catalogue }: HistoryOptions,
  name: BackupName | null,
): Promise<BackupState | null> {
  if (name === null || !repository.keys.canRead) return null
  const { manifest, fileHash } = await catalogue.read(name)
  const lists = []
  for (const stored of manifest.partitions) {
    lists.push(await catalogue.partitionList(manifest, stored))
  }
  return { manifest, fileHash, lists }
}

async function fullOf(
  options: HistoryOptions,
  names: readonly BackupName[],
): Promise<BackupState | null> {
  const remembered = options.full.read()
  if (names.some(({ backupId }) => backupId === remembered?.manifest.backupId)) return remembered
  if (!options.repository.keys.canRead) return null
  for (const name of names.toReversed()) {
    const { manifest } = await options.catalogue.read(name)
    if (manifest.kind === 'full') return readState(options, name)
  }
  return null
}
