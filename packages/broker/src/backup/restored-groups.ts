import type { Offset } from '@varve/record'
import { partitionName } from '../base/topic-partition.ts'
import type { StoredOffset } from '../groups/group-offsets.ts'
import type { CommitOptions, OffsetStore } from '../groups/offset-store.ts'

/** What restoring has done to partitions, as far as it matters to groups. */
export interface RestoredEnds {
  /** By `<topic>-<partition>` as it is called now: one more than its last offset. */
  readonly ends: ReadonlyMap<string, Offset>
  /** New names of topics by their old ones. */
  readonly renamed: ReadonlyMap<string, string>
  /** Names of all partitions that there are when it is done. */
  readonly partitions: ReadonlySet<string>
  /** Of partitions that the backup has, and that are not restored under that name. */
  readonly absent: ReadonlySet<string>
}

/**
 * Brings committed offsets in line with the partitions that there are now. An offset beyond the end
 * of its partition goes back to that end: else the group would leave out what is appended next.
 * Offsets of a renamed topic go with it; those of partitions that were left out are forgotten, so
 * that they are not those of the next ones of that name.
 *
 * Resolves to what was changed, in words, and whether anything was written.
 */
export async function restoreGroups(
  store: OffsetStore,
  restored: RestoredEnds,
  options: CommitOptions,
): Promise<{ readonly notes: readonly string[]; readonly isChanged: boolean }> {
  const notes: string[] = []
  let isChanged = false
  for (const group of store.groups) {
    const commits: StoredOffset[] = []
    const forgotten: StoredOffset[] = []
    for (const committed of store.offsets(group)) {
      const { topic, partition, offset } = committed
      const name = restored.renamed.get(topic) ?? topic
      const place = partitionName({ topic: name, partition })
      if (restored.absent.has(partitionName({ topic, partition }))) forgotten.push(committed)
      if (!restored.partitions.has(place)) continue
      const end = restored.ends.get(place) ?? offset
      if (offset <= end && name === topic) continue
      commits.push({ ...committed, topic: name, offset: Math.min(offset, end) })
      if (offset <= end) continue
      notes.push(
        `group ${group} goes on at ${end} of ${place}, its end: it had committed ${offset}`,
      )
    }
    await store.commit(group, commits, options)
    await store.deleteOffsets(group, forgotten, options)
    isChanged ||= commits.length + forgotten.length > 0
  }
  return { notes, isChanged }
}
