import { randomBytes } from 'node:crypto'
import { newTopicId, partitionDirectoryName } from '@varve/log/files'
import { type Batch, InvalidArgumentError, type Offset } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import type { Manifest, StoredPartition } from '../format/manifest.ts'
import { type PartitionList, topicPattern } from '../format/partition-list.ts'
import { checkPartitionList } from '../reading/list-check.ts'
import type { ObjectReader } from '../reading/object-reader.ts'
import { storedBatches } from '../reading/stored-batches.ts'
import type { BackupCatalogue } from '../repository/backup-catalogue.ts'
import { isDirectoryFile } from '../source/source-files.ts'
import type { RestoredPartition } from './partition-restore.ts'
import { RestoreRefusedError } from './restore-errors.ts'
import { cutOf, type RestorePoint } from './restore-point.ts'

export interface RestoreWish {
  readonly point: RestorePoint
  readonly select: (topic: string, partition: number) => boolean
  /** New names of topics. */
  readonly rename: ReadonlyMap<string, string>
  /** As `RestoreHooks` has it. */
  readonly decidedProducers?: DecidedProducers | undefined
}

/**
 * Finds, in the batches of a topic that is restored, which producers' transactions are decided
 * though not all of their markers are written.
 */
export type DecidedProducers = (
  read: (topic: string) => AsyncIterable<Batch>,
) => Promise<ReadonlySet<number>>

/**
 * Which partitions are restored, under which names, and where each ends. Rejects with
 * RestoreRefusedError and InvalidArgumentError for what cannot be meant, with
 * CorruptRepositoryError for lists that do not go together.
 */
export async function planRestore(
  manifest: Manifest,
  catalogue: BackupCatalogue,
  reader: ObjectReader,
  { point, select, rename, decidedProducers }: RestoreWish,
): Promise<readonly RestoredPartition[]> {
  const chosen = manifest.partitions.filter(({ topic, partition }) => select(topic, partition))
  if (chosen.length === 0 && manifest.partitions.length > 0) {
    throw new RestoreRefusedError(`backup ${manifest.backupId} has none of what is asked for`)
  }
  checkFiles(manifest)
  checkNames(chosen, rename)
  if (point.kind === 'offsets') checkOffsets(chosen, point.offsets)
  const topicIds = new Map([...rename.keys()].map((topic) => [topic, newTopicId(randomBytes)]))
  const lists = new Map<StoredPartition, PartitionList>()
  for (const stored of chosen) {
    const list = await catalogue.partitionList(manifest, stored)
    checkPartitionList(manifest, stored, list)
    lists.set(stored, list)
  }
  const { sets } = manifest
  const isAsked = point.kind === 'stable' && decidedProducers !== undefined
  const decided = isAsked
    ? await decidedProducers((topic) => batchesOf(reader, sets, lists, topic))
    : new Set<number>()
  const partitions: RestoredPartition[] = []
  for (const [stored, list] of lists) {
    const { logStartOffset, endOffset, topic } = stored
    const cut = await cutOf(reader, { sets, list }, point, { logStartOffset, decided })
    const end = Math.max(Math.min(cut ?? endOffset, endOffset), logStartOffset)
    const name = partitionDirectoryName(rename.get(topic) ?? topic, stored.partition)
    const topicId = stored.topicId && (topicIds.get(topic) ?? stored.topicId)
    partitions.push({ stored, list, name, topicId, end })
  }
  return partitions
}

async function* batchesOf(
  reader: ObjectReader,
  sets: readonly string[],
  lists: ReadonlyMap<StoredPartition, PartitionList>,
  topic: string,
): AsyncGenerator<Batch, void, undefined> {
  for (const [stored, list] of lists) {
    if (stored.topic === topic) yield* storedBatches(reader, { sets, list })
  }
}

/** They become files of the data directory. */
function checkFiles({ files, backupId }: Manifest): void {
  const stranger = files.find(({ name }) => !isDirectoryFile(name))
  if (stranger === undefined) return
  const reason = `${stranger.name} is not a file of a data directory`
  throw new CorruptRepositoryError(`the manifest of ${backupId}`, reason)
}

function checkNames(chosen: readonly StoredPartition[], rename: ReadonlyMap<string, string>): void {
  const topics = new Set(chosen.map(({ topic }) => topic))
  for (const [topic, name] of rename) {
    if (!topics.has(topic)) throw new RestoreRefusedError(`topic ${topic} is not restored`)
    if (topicPattern.test(name)) continue
    throw new InvalidArgumentError('rename', name, 'cannot be the name of a topic')
  }
  const names = new Set<string>()
  for (const { topic, partition } of chosen) {
    const name = partitionDirectoryName(rename.get(topic) ?? topic, partition)
    if (names.has(name)) throw new RestoreRefusedError(`two partitions would be called ${name}`)
    names.add(name)
  }
}

/** An offset that the backup has not would be taken for one that was reached. */
function checkOffsets(
  chosen: readonly StoredPartition[],
  offsets: ReadonlyMap<string, Offset>,
): void {
  const byName = new Map(chosen.map((stored) => [`${stored.topic}-${stored.partition}`, stored]))
  for (const [name, offset] of offsets) {
    const stored = byName.get(name)
    if (stored === undefined) throw new RestoreRefusedError(`partition ${name} is not restored`)
    const { logStartOffset: from, endOffset: to } = stored
    if (Number.isSafeInteger(offset) && offset >= from && offset <= to) continue
    throw new RestoreRefusedError(
      `${name} cannot end before offset ${offset}: the backup has it from ${from} to before ${to}`,
    )
  }
}
