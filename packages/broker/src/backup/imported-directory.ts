import type { GroupOffset, ImportedTopic } from '@varve/backup'
import { type FileSystem, nodeFileSystem } from '@varve/log'
import { checkTopicSettings, type TopicSettings } from '../base/topic-settings.ts'
import { openDataDirectory } from '../directory-varve.ts'
import { writeCatalogue } from '../topics/catalogue-file.ts'

/** What an import knows beside records. */
export interface ImportedFacts {
  /** By topic; plain data, checked here. */
  readonly settings: ReadonlyMap<string, unknown>
  readonly groups: readonly GroupOffset[]
}

/**
 * Completes a data directory whose logs have been imported: the topics' catalogue, and what groups
 * have committed. Rejects with InvalidArgumentError for settings that there are not.
 */
export async function completeImport(
  directory: string,
  topics: readonly ImportedTopic[],
  { settings, groups }: ImportedFacts,
  options: { readonly fs?: FileSystem } = {},
): Promise<void> {
  const { fs = nodeFileSystem } = options
  const catalogued = topics.map((topic) => {
    const own = checkTopicSettings((settings.get(topic.name) ?? {}) as TopicSettings)
    return { ...topic, made: topic.partitions, isDeleting: false, settings: own }
  })
  await writeCatalogue(fs, directory, { nextProducerId: 0, topics: catalogued })
  if (groups.length === 0) return
  await using varve = await openDataDirectory(directory, { fs, cleaning: false })
  const administration = await varve.groups()
  const byGroup = new Map<string, GroupOffset[]>()
  for (const offset of groups) {
    const known = byGroup.get(offset.group)
    if (known === undefined) byGroup.set(offset.group, [offset])
    else known.push(offset)
  }
  for (const [group, offsets] of byGroup) await administration.resetOffsets(group, offsets)
}
