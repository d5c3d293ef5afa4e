import { RestoreRefusedError, type RestoreScene } from '@varve/backup'
import { parsePartitionDirectoryName } from '@varve/log/files'
import { checkTopicName, collidingTopic, isInternalTopic } from '../base/topic-names.ts'
import type { Catalogue, CataloguedTopic } from '../topics/catalogue-file.ts'

/** A topic that is restored, or some of its partitions. */
interface RestoredTopic {
  readonly name: string
  /** As it was called when it was backed up. */
  readonly original: string
  /** As the partitions themselves say; null before Kafka 2.8. */
  readonly topicId: string | null
  readonly partitions: number[]
}

export interface RestoredCatalogueOptions {
  /** As it was backed up; null for a directory without one, as a broker's. */
  readonly stored: Catalogue | null
  /** Of the directory that is restored into; null where there is none. */
  readonly present: Catalogue | null
  /** Names of the topics of that directory, also of those without an entry. */
  readonly taken: ReadonlySet<string>
  readonly scene: Pick<RestoreScene, 'partitions' | 'kept'>
  readonly newTopicId: () => string
}

/**
 * The topics of a directory into which something was restored: those that were restored, with the
 * settings that they had, and those that stay. A topic of which only some partitions are restored
 * stays what it is, and a renamed one is another topic, with an id of its own.
 *
 * Null where neither side has a catalogue and none is needed. Throws RestoreRefusedError for names
 * that topics cannot have, or that are taken.
 */
export function restoredCatalogue(options: RestoredCatalogueOptions): Catalogue | null {
  const { stored, present, taken, scene } = options
  const restored = restoredTopics(scene)
  const kept = keptPartitions(scene)
  checkRenamed(restored, taken)
  const isRenamed = restored.some(({ name, original }) => name !== original)
  if (stored === null && present === null && !isRenamed) return null
  const names = new Set(restored.map(({ name }) => name))
  const staying = (present?.topics ?? []).filter(({ name }) => kept.has(name) && !names.has(name))
  const topics = restored.map((topic) => entryOf(topic, kept.get(topic.name) ?? [], options))
  const nextProducerId = Math.max(stored?.nextProducerId ?? 0, present?.nextProducerId ?? 0)
  return { nextProducerId, topics: [...staying, ...topics] }
}

/** By name of the topic as it is to be called. */
function restoredTopics({ partitions }: Pick<RestoreScene, 'partitions'>): RestoredTopic[] {
  const topics = new Map<string, RestoredTopic>()
  for (const { name: directory, stored } of partitions) {
    const name = parsePartitionDirectoryName(directory)?.topic ?? stored.topic
    const { topic: original, topicId } = stored
    const topic = topics.get(name) ?? { name, original, topicId, partitions: [] }
    if (topic.original !== original) {
      throw new RestoreRefusedError(`${topic.original} and ${original} would both be ${name}`)
    }
    topic.partitions.push(stored.partition)
    topics.set(name, topic)
  }
  return [...topics.values()]
}

function keptPartitions({ kept }: Pick<RestoreScene, 'kept'>): ReadonlyMap<string, number[]> {
  const topics = new Map<string, number[]>()
  for (const directory of kept) {
    const parsed = parsePartitionDirectoryName(directory)
    if (parsed === null) continue
    topics.set(parsed.topic, [...(topics.get(parsed.topic) ?? []), parsed.partition])
  }
  return topics
}

function checkRenamed(topics: readonly RestoredTopic[], taken: ReadonlySet<string>): void {
  const names = [...taken, ...topics.map(({ name }) => name)]
  for (const { name, original } of topics) {
    if (name === original) continue
    checkTopicName(name)
    if (isInternalTopic(name) || isInternalTopic(original)) {
      throw new RestoreRefusedError(`${original} cannot be renamed to ${name}: one is internal`)
    }
    if (taken.has(name)) {
      throw new RestoreRefusedError(
        `${original} cannot be called ${name}: there is such a topic`,
        'give it a name that no topic has, or delete that topic first',
      )
    }
    const colliding = collidingTopic(name, names)
    if (colliding === null) continue
    throw new RestoreRefusedError(`${name} collides with '${colliding}' in metrics' names`)
  }
}

function entryOf(
  topic: RestoredTopic,
  kept: readonly number[],
  { stored, present, newTopicId }: RestoredCatalogueOptions,
): CataloguedTopic {
  const { name, original } = topic
  const was = find(stored, original)
  const is = find(present, name)
  const isMerged = kept.length > 0
  const base = isMerged ? (is ?? was) : was
  const found = new Set([...topic.partitions, ...kept])
  const partitions = Math.max(base?.partitions ?? 0, ...[...found].map((each) => each + 1))
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const missing = all.find((partition) => !found.has(partition))
  const isRenamed = name !== original
  return {
    name,
    topicId: isRenamed ? newTopicId() : (base?.topicId ?? topic.topicId ?? newTopicId()),
    partitions,
    // Those that are missing are made, empty, when the directory is opened.
    made: missing ?? partitions,
    isDeleting: !isRenamed && !isMerged && was?.isDeleting === true,
    settings: base?.settings ?? {},
  }
}

/** A deleted topic may stand beside the one that was made anew under its name. */
function find(catalogue: Catalogue | null, name: string): CataloguedTopic | null {
  const found = (catalogue?.topics ?? []).filter((topic) => topic.name === name)
  return found.find(({ isDeleting }) => !isDeleting) ?? found[0] ?? null
}
