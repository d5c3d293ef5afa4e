import type { ResponseOf } from '../protocol/api-declaration.ts'
import type { fetch } from '../protocol/apis/fetch.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import type { WantedPartition } from './fetch-session.ts'
import type { FetchPlan } from './fetch-sessions.ts'
import type { PartitionAnswer, PartitionReading } from './partition-reading.ts'

type TopicAnswer = NonNullable<ResponseOf<typeof fetch>['responses']>[number]

/** What is told of partitions that were read, by topic; in a session only what is new. */
export function toldPartitions(
  readings: readonly PartitionReading[],
  { session, isIncremental }: FetchPlan,
): readonly TopicAnswer[] {
  const topics: (TopicAnswer & { readonly partitions: PartitionAnswer[] })[] = []
  for (const { key, wanted, answer, sizeBytes } of readings) {
    if (answer === null) continue
    if (session !== null) {
      const isNew = note(wanted, answer, sizeBytes)
      if (isIncremental && !isNew) continue
      if (sizeBytes > 0) session.rotate(key)
    }
    const { topic, topicId } = wanted
    const last = topics.at(-1)
    const isSame = last !== undefined && last.topic === topic && last.topicId === topicId
    if (isSame) last.partitions.push(answer)
    else topics.push({ topic, topicId, partitions: [answer] })
  }
  return topics
}

/** Whether there is something in an answer that the client has not been told; it is from now on. */
function note(wanted: WantedPartition, answer: PartitionAnswer, sizeBytes: number): boolean {
  const { errorCode, highWatermark, logStartOffset = -1, divergingEpoch } = answer
  const isFailed = errorCode !== errorCodes.NONE
  const isNew =
    sizeBytes > 0 ||
    isFailed ||
    divergingEpoch !== undefined ||
    highWatermark !== wanted.toldHighWatermark ||
    logStartOffset !== wanted.toldLogStartOffset
  // After an error all is told anew.
  wanted.toldHighWatermark = isFailed ? -1 : highWatermark
  wanted.toldLogStartOffset = logStartOffset
  return isNew
}
