import type { ResponseOf } from '../protocol/api-declaration.ts'
import type { fetch } from '../protocol/apis/fetch.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import type { WantedPartition } from './fetch-session.ts'
import type { FetchPlan } from './fetch-sessions.ts'
import type { PartitionAnswer, PartitionReading } from './partition-reading.ts'

type TopicAnswer = NonNullable<ResponseOf<typeof fetch>['responses']>[number]

/** What is told of partitions that were read, by topic; in a session only what is new. */
export class ToldPartitions {
  readonly topics: (TopicAnswer & { readonly partitions: PartitionAnswer[] })[] = []
  readonly #plan: Pick<FetchPlan, 'session' | 'isIncremental'>

  constructor(plan: Pick<FetchPlan, 'session' | 'isIncremental'>) {
    this.#plan = plan
  }

  /** The next of them. */
  tell({ key, wanted, answer, sizeBytes }: PartitionReading): void {
    if (answer === null) return
    const { session, isIncremental } = this.#plan
    if (session !== null) {
      const isNew = note(wanted, answer, sizeBytes)
      if (isIncremental && !isNew) return
      if (sizeBytes > 0) session.rotate(key)
    }
    const { topic, topicId } = wanted
    const last = this.topics.at(-1)
    const isSame = last !== undefined && last.topic === topic && last.topicId === topicId
    if (isSame) last.partitions.push(answer)
    else this.topics.push({ topic, topicId, partitions: [answer] })
  }
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
