import { type FileSystem, LogNotFoundError, nodeFileSystem } from '@varve/log'
import { parsePartitionDirectoryName } from '@varve/log/files'
import { isInternalTopic } from '../base/topic-names.ts'
import type { TopicSettings } from '../base/topic-settings.ts'
import { readCatalogue } from './catalogue-file.ts'

/** A topic as a data directory has it, open or not. */
export interface ListedTopic {
  readonly name: string
  /** Kafka's notation of a UUID; null where the catalogue does not know the topic. */
  readonly topicId: string | null
  /** Whether it is one of Kafka's own, which programs only read. */
  readonly isInternal: boolean
  readonly partitions: number
  /** Those that it was given; the others are defaults. */
  readonly settings: TopicSettings
}

/**
 * The topics of a data directory, sorted by name: without a lock, without opening a log, without
 * writing anything. Beside a program that changes topics, what was there at some moment.
 *
 * @throws {LogNotFoundError} when there is no such directory
 * @throws {CorruptCatalogueError}
 */
export function listTopics(
  path: string,
  options: { readonly fs?: FileSystem } = {},
): readonly ListedTopic[] {
  const fs = options.fs ?? nodeFileSystem
  if (fs.stat(path)?.isDirectory !== true) {
    throw new LogNotFoundError(`there is no data directory ${path}`)
  }
  const found = new Map<string, ListedTopic>()
  const deleting = new Set<string>()
  for (const topic of readCatalogue(fs, path)?.topics ?? []) {
    const { name, topicId, partitions, settings } = topic
    if (topic.isDeleting) deleting.add(name)
    else found.set(name, { name, topicId, isInternal: isInternalTopic(name), partitions, settings })
  }
  for (const directory of fs.list(path)) {
    const parsed = parsePartitionDirectoryName(directory)
    if (parsed === null || (deleting.has(parsed.topic) && !found.has(parsed.topic))) continue
    const { topic: name, partition } = parsed
    const known = found.get(name) ?? {
      ...{ name, topicId: null, isInternal: isInternalTopic(name) },
      ...{ partitions: 0, settings: {} },
    }
    found.set(name, { ...known, partitions: Math.max(known.partitions, partition + 1) })
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
