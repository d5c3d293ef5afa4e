import { randomBytes } from 'node:crypto'
import type { RestoreHooks, RestoreScene, StoredFileContent } from '@varve/backup'
import type { LogOptions } from '@varve/log'
import {
  encodePartitionMetadata,
  newTopicId,
  parsePartitionDirectoryName,
  partitionMetadataFileName,
  readSmallFile,
  replaceSmallFile,
} from '@varve/log/files'
import { CorruptCatalogueError } from '../base/broker-errors.ts'
import { offsetsTopic, queueStateTopic } from '../base/topic-names.ts'
import { partitionName } from '../base/topic-partition.ts'
import { defaultsOf, logOptionsOf, resolveTopicSettings } from '../base/topic-settings.ts'
import { OffsetStore } from '../groups/offset-store.ts'
import { QueueStateLog } from '../queues/queue-state-log.ts'
import {
  type Catalogue,
  catalogueFileName,
  decodeCatalogue,
  encodeCatalogue,
  readCatalogue,
} from '../topics/catalogue-file.ts'
import { decidedProducers } from './decided-producers.ts'
import { restoredCatalogue } from './restored-catalogue.ts'
import { type RestoredEnds, restoreGroups } from './restored-groups.ts'
import { restoreQueues } from './restored-queues.ts'
import { editStagedLogs } from './staged-logs.ts'

export interface RestoreHooksOptions {
  /** Names topics that get an id of their own. @defaultValue random */
  readonly randomBytes?: (count: number) => Buffer
}

/**
 * What restoring a data directory needs to know of topics, groups and queues, for `restoreBackup`:
 * the catalogue is made for what is restored, under the names it gets; what groups have committed
 * and queues have delivered beyond a restored end is taken back to it, and said.
 *
 * @example
 * ```ts
 * await restoreBackup(repository, backup, { to: './data', hooks: restoreHooks() })
 * ```
 */
export function restoreHooks(options: RestoreHooksOptions = {}): RestoreHooks {
  const random = options.randomBytes ?? randomBytes
  return {
    directoryFiles: (stored, present, scene) => {
      const catalogue = restoredCatalogue({
        stored: catalogueIn(stored, 'the backup'),
        present: presentCatalogue(present, scene),
        taken: topicsIn(scene),
        scene,
        newTopicId: () => newTopicId(random),
      })
      // What says which broker this is stays what it is.
      const here = present.filter(({ name }) => name !== catalogueFileName)
      const isHere = (name: string): boolean => here.some((file) => file.name === name)
      const others = stored.filter(({ name }) => name !== catalogueFileName && !isHere(name))
      const own = catalogue && { name: catalogueFileName, bytes: encodeCatalogue(catalogue) }
      return [...(own === null ? [] : [own]), ...here, ...others]
    },
    logOptions: logOptionsIn,
    decidedProducers,
    adjust: async (scene) => {
      await nameTopics(scene)
      return [...(await adjustGroups(scene)), ...(await adjustQueues(scene))]
    },
  }
}

function catalogueIn(files: readonly StoredFileContent[], where: string): Catalogue | null {
  const file = files.find(({ name }) => name === catalogueFileName)
  return file === undefined ? null : decodeCatalogue(file.bytes, `${catalogueFileName} of ${where}`)
}

/** By the settings that topics were given; what is not said there has Kafka's defaults. */
function logOptionsIn(files: readonly StoredFileContent[]): (topic: string) => LogOptions {
  const topics = catalogueIn(files, 'the backup')?.topics ?? []
  const settings = new Map(topics.map((topic) => [topic.name, topic.settings]))
  return (topic) =>
    logOptionsOf(resolveTopicSettings(settings.get(topic) ?? {}, defaultsOf(topic, {})))
}

/** Where nothing of it stays, it may be damaged: only producer ids are taken over from it. */
function presentCatalogue(
  files: readonly StoredFileContent[],
  { kept, replaced }: RestoreScene,
): Catalogue | null {
  try {
    return catalogueIn(files, replaced)
  } catch (error) {
    if (kept.length === 0 && error instanceof CorruptCatalogueError) return null
    throw error
  }
}

function topicsIn({ fs, replaced }: RestoreScene): ReadonlySet<string> {
  if (fs.stat(replaced)?.isDirectory !== true) return new Set()
  const parsed = fs.list(replaced).map(parsePartitionDirectoryName)
  return new Set(parsed.flatMap((place) => (place?.state === 'live' ? [place.topic] : [])))
}

/** Partitions have their topic's id with them: a renamed topic has another than it had. */
async function nameTopics({ fs, staging, partitions }: RestoreScene): Promise<void> {
  const topics = readCatalogue(fs, staging)?.topics ?? []
  const ids = new Map(topics.map(({ name, topicId }) => [name, topicId]))
  for (const { name } of partitions) {
    const topicId = ids.get(parsePartitionDirectoryName(name)?.topic ?? '')
    const path = `${staging}/${name}/${partitionMetadataFileName}`
    if (topicId === undefined) continue
    const bytes = encodePartitionMetadata(topicId)
    if (readSmallFile(fs, path, 1024)?.equals(bytes) !== true) {
      await replaceSmallFile(fs, path, bytes)
    }
  }
}

async function adjustGroups(scene: RestoreScene): Promise<readonly string[]> {
  const restored = endsOf(scene)
  const kept = { ...restored, renamed: new Map<string, string>(), absent: new Set<string>() }
  const notes: string[] = []
  const unusable = await editStagedLogs(scene, offsetsTopic, async ({ name, log }) => {
    const store = await OffsetStore.load(log)
    // What groups have committed since says nothing of topics as they were, under new names.
    const ends = scene.kept.includes(name) ? kept : restored
    const changes = await restoreGroups(store, ends, { timestamp: scene.clock.now() })
    notes.push(...changes.notes)
    return changes.isChanged
  })
  return [...notes, ...unusable.map(asNote)]
}

async function adjustQueues(scene: RestoreScene): Promise<readonly string[]> {
  const { ends } = endsOf(scene)
  const topics = readCatalogue(scene.fs, scene.staging)?.topics ?? []
  const names = new Map(topics.map(({ name, topicId }) => [topicId, name]))
  const endOf = (topicId: string, partition: number): number | null =>
    ends.get(`${names.get(topicId)}-${partition}`) ?? null
  const notes: string[] = []
  const unusable = await editStagedLogs(scene, queueStateTopic, async ({ log }) => {
    const changes = await restoreQueues(await QueueStateLog.load(log), endOf)
    notes.push(...changes.notes)
    return changes.isChanged
  })
  return [...notes, ...unusable.map(asNote)]
}

function endsOf({ partitions, kept, stored }: RestoreScene): RestoredEnds {
  const renamed = partitions.flatMap(({ name, stored: { topic } }): Array<[string, string]> => {
    const now = parsePartitionDirectoryName(name)?.topic ?? topic
    return now === topic ? [] : [[topic, now]]
  })
  const present = new Set([...partitions.map(({ name }) => name), ...kept])
  // A broker of a cluster has offsets of partitions that are on others: these are not touched.
  const absent = stored.map(partitionName).filter((name) => !present.has(name))
  return {
    ends: new Map(partitions.map(({ name, end }) => [name, end])),
    renamed: new Map(renamed),
    partitions: present,
    absent: new Set(absent),
  }
}

function asNote({ name, error }: { readonly name: string; readonly error: Error }): string {
  return `${name} is damaged, so that what it says could not be brought in line: ${error.message}`
}
