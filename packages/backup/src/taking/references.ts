import type { Manifest } from '../format/manifest.ts'
import type { PartitionList } from '../format/partition-list.ts'
import type { ObjectReferences } from '../format/reference-list.ts'

/** Every object that a backup needs, by the set in which it lies. */
export function referencesOf(
  manifest: Manifest,
  lists: readonly PartitionList[],
): ObjectReferences {
  const references = new Map<string, Set<string>>()
  const add = (set: number, id: Buffer): void => {
    const name = manifest.sets[set] ?? ''
    const ids = references.get(name) ?? new Set()
    references.set(name, ids.add(id.toString('hex')))
  }
  for (const { set, list } of manifest.partitions) add(set, list)
  for (const { set, extents } of lists.flatMap(({ segments }) => segments)) {
    for (const { id } of extents) add(set, id)
  }
  return references
}
