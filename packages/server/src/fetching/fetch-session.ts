import type { Offset } from '@varve/record'
import { shortName } from '../base/short-name.ts'

/** What a client wants of a partition: in a session, until it says otherwise. */
export interface WantedPartition {
  /** Empty where topics go by their ids. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  fetchOffset: Offset
  maxBytes: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  /** What was last told of it; -1 for nothing. */
  toldHighWatermark: Offset
  toldLogStartOffset: Offset
}

/** The sequel of a session's epoch: they wrap, and leave out 0, which begins a session. */
export function nextEpoch(epoch: number): number {
  return epoch >= 2 ** 31 - 1 ? 1 : epoch + 1
}

/** Of a topic, within one way of naming topics; with `:` and a partition behind it, of that. */
export function topicKey({
  topic,
  topicId,
}: {
  readonly topic: string
  readonly topicId: string
}): string {
  return topic === '' ? topicId : shortName(topic)
}

/** Memory for one partition, about: what names of topics take that cannot be there counts too. */
const namesLengthOfOne = 250

function weightOf({ topic }: WantedPartition): number {
  return 1 + Math.floor(topic.length / namesLengthOfOne)
}

/** What a broker remembers of a client's fetches (KIP-227), so that they tell only what changes. */
export class FetchSession {
  readonly sessionId: number
  readonly usesTopicIds: boolean
  readonly createdMs: number
  /** Of the request that is expected. */
  epoch: number = 1
  usedMs: number
  /** In the order in which they are read: what gave records goes to the end. */
  readonly partitions: Map<string, WantedPartition>
  /** What it takes: as many partitions of topics with usual names would take. */
  weight = 0

  constructor(
    sessionId: number,
    partitions: Map<string, WantedPartition>,
    usesTopicIds: boolean,
    nowMs: number,
  ) {
    this.sessionId = sessionId
    this.partitions = partitions
    this.usesTopicIds = usesTopicIds
    this.createdMs = nowMs
    this.usedMs = nowMs
    for (const wanted of partitions.values()) this.weight += weightOf(wanted)
  }

  /** Takes in what a request adds, changes and takes away. */
  update(changed: Iterable<readonly [string, WantedPartition]>, forgotten: Iterable<string>): void {
    for (const [key, wanted] of changed) {
      const known = this.partitions.get(key)
      if (known === undefined) {
        this.partitions.set(key, wanted)
        this.weight += weightOf(wanted)
      } else {
        known.fetchOffset = wanted.fetchOffset
        known.maxBytes = wanted.maxBytes
        known.currentLeaderEpoch = wanted.currentLeaderEpoch
        known.lastFetchedEpoch = wanted.lastFetchedEpoch
      }
    }
    for (const key of forgotten) {
      const known = this.partitions.get(key)
      if (known === undefined) continue
      this.partitions.delete(key)
      this.weight -= weightOf(known)
    }
  }

  /** Puts a partition behind the others: it has had its turn. */
  rotate(key: string): void {
    const wanted = this.partitions.get(key)
    if (wanted === undefined) return
    this.partitions.delete(key)
    this.partitions.set(key, wanted)
  }
}
