import type { Offset } from '@varve/record'
import type { Manifest } from '../format/manifest.ts'
import type { StoredSegment } from '../format/partition-list.ts'
import { checkPartitionList } from '../reading/list-check.ts'
import { BackupCatalogue } from '../repository/backup-catalogue.ts'
import type { Repository } from '../repository/repository.ts'

/** A segment that is wanted: what must be the same. */
export interface WantedSegment {
  readonly topic: string
  readonly partition: number
  /** Null before Kafka 2.8. */
  readonly topicId: string | null
  readonly baseOffset: Offset
  readonly nextOffset: Offset
  readonly sizeBytes: number
}

/** A segment of a backup. */
export interface StoredCopy {
  readonly repository: Repository
  readonly backupId: string
  /** Of the manifest. */
  readonly sets: readonly string[]
  readonly segment: StoredSegment
}

/**
 * The copies of a segment that backups have, sound as far as they say, newest first. One that
 * compaction has changed since, or before, is another segment. What cannot be read is passed over,
 * and told.
 */
export async function* storedCopies(
  repository: Repository,
  wanted: WantedSegment,
  failed: (reason: string) => void,
): AsyncGenerator<StoredCopy, void, undefined> {
  const catalogue = new BackupCatalogue(repository)
  const names = await catalogue.list()
  /** Partition lists are shared by backups that have the same. */
  const looked = new Set<string>()
  for (const name of names.toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1))) {
    try {
      const { manifest } = await catalogue.read(name)
      const copy = await copyIn(catalogue, manifest, wanted, looked)
      if (copy === null) continue
      yield { repository, backupId: manifest.backupId, sets: manifest.sets, segment: copy }
    } catch (error) {
      failed(`backup ${name.backupId}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

async function copyIn(
  catalogue: BackupCatalogue,
  manifest: Manifest,
  { topic, partition, topicId, baseOffset, nextOffset, sizeBytes }: WantedSegment,
  looked: Set<string>,
): Promise<StoredSegment | null> {
  const stored = manifest.partitions.find(
    (other) => other.topic === topic && other.partition === partition && other.topicId === topicId,
  )
  if (stored === undefined) return null
  const key = `${manifest.sets[stored.set]} ${stored.list.toString('hex')}`
  if (looked.has(key)) return null
  looked.add(key)
  const list = await catalogue.partitionList(manifest, stored)
  checkPartitionList(manifest, stored, list)
  const found = list.segments.find(
    (segment) =>
      segment.isSealed &&
      segment.damage === null &&
      segment.baseOffset === baseOffset &&
      segment.nextOffset === nextOffset &&
      segment.sizeBytes === sizeBytes,
  )
  return found ?? null
}
