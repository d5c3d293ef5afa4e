import { type FileSystem, LogNotFoundError, nodeFileSystem } from '@varve/log'
import { parsePartitionDirectoryName } from '@varve/log/files'
import { isInternalTopic } from '../base/topic-names.ts'
import type { TopicSettings } from '../base/topic-settings.ts'
import { type Catalogue, readCatalogue } from './catalogue-file.ts'

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
  return topicsIn(fs, path, readCatalogue(fs, path), 'all')
}

/**
 * The topics that a catalogue and the directories beside it make, sorted by name.
 *
 * @param which `all`: those that are being made too, with all the partitions that they will have.
 *   `made`: as far as they have been made
 */
export function topicsIn(
  fs: FileSystem,
  path: string,
  catalogue: Catalogue | null,
  which: 'all' | 'made',
): readonly ListedTopic[] {
  const found = new Map<string, ListedTopic>()
  /** What their directories say does not count. */
  const unfinished = new Set<string>()
  for (const { name, topicId, partitions, made, isDeleting, settings } of catalogue?.topics ?? []) {
    const isMade = which === 'all' || made === partitions
    if (isDeleting && found.has(name)) continue
    if (isDeleting || !isMade) unfinished.add(name)
    else unfinished.delete(name)
    const count = which === 'all' ? partitions : made
    if (isDeleting || count === 0) continue
    const isInternal = isInternalTopic(name)
    found.set(name, { name, topicId, isInternal, partitions: count, settings })
  }
  for (const directory of fs.list(path)) {
    const parsed = parsePartitionDirectoryName(directory)
    if (parsed === null || parsed.state !== 'live' || unfinished.has(parsed.topic)) continue
    const { topic: name, partition } = parsed
    const known = found.get(name) ?? {
      ...{ name, topicId: null, isInternal: isInternalTopic(name) },
      ...{ partitions: 0, settings: {} },
    }
    found.set(name, { ...known, partitions: Math.max(known.partitions, partition + 1) })
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
