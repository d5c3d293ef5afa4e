import { createHash } from 'node:crypto'

/** A topic, as far as groups have to know it. */
export interface GroupTopic {
  readonly topicId: string
  readonly partitionCount: number
}

/** The topics that there are. */
export interface GroupTopics {
  find(name: string): GroupTopic | null
  names(): Iterable<string>
}

/** Where there are none. */
export const noTopics: GroupTopics = { find: () => null, names: () => [] }

/** The ids of those topics that are there. */
export function idsOf(names: Iterable<string>, topics: GroupTopics): Set<string> {
  const ids = new Set<string>()
  for (const name of names) {
    const topic = topics.find(name)
    if (topic !== null) ids.add(topic.topicId)
  }
  return ids
}

/**
 * A number that is another one whenever something has changed of these topics that matters to who
 * reads them; 0 for none. Kafka notes one of its own in its place, and finds that it has changed.
 */
export function metadataHashOf(names: Iterable<string>, topics: GroupTopics): bigint {
  const hash = createHash('sha256')
  let isAny = false
  for (const name of [...names].sort()) {
    const topic = topics.find(name)
    if (topic === null) continue
    isAny = true
    hash.update(`${name} ${topic.topicId} ${topic.partitionCount}\n`)
  }
  return isAny ? hash.digest().readBigInt64BE() : 0n
}
