import type { Log } from '@varve/log'
import type { Offset, Timestamp } from '@varve/record'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { kafkaErrorOf, toldError } from '../base/kafka-error.ts'
import type { ServerContext } from '../base/server-context.ts'
import { leaderEpochError } from '../fetching/leader-epoch-error.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { listOffsets } from '../protocol/apis/list-offsets.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof listOffsets>
type PartitionRequest = Request['topics'][number]['partitions'][number]
type TopicAnswer = ResponseOf<typeof listOffsets>['topics'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]

/** Timestamps that stand for something else; each from a version on. */
const latest = -1
const earliest = -2
const ofLatestTime = -3
const earliestLocal = -4
const latestTiered = -5
const sinceVersion: ReadonlyMap<Timestamp, number> = new Map([
  [latest, 1],
  [earliest, 1],
  [ofLatestTime, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
])

/** What was found: -1 for a timestamp where there is none, and for an offset likewise. */
interface Found {
  readonly offset: Offset
  readonly timestamp: Timestamp
  readonly leaderEpoch: number
}

const none: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 }

/** ListOffsets: the first and last offsets, and offsets by time, exact to the record. */
export function listOffsetsHandler(server: ServerContext): ApiHandler {
  return handlerOf(listOffsets, { versions: '1-10' }, async (call, request) => {
    const repeated = repeatedPartitions(request)
    const topics = await call.turns.map(request.topics, async ({ name, partitions }) => {
      const answers = await call.turns.map(partitions, (partition) => {
        const isRepeated = repeated.get(name)?.has(partition.partitionIndex) ?? false
        return answerPartition(server, call, request, { name, partition, isRepeated })
      })
      return { name, partitions: answers }
    })
    return { topics }
  })
}

async function answerPartition(
  server: ServerContext,
  call: Call,
  request: Request,
  asked: {
    readonly name: string
    readonly partition: PartitionRequest
    readonly isRepeated: boolean
  },
): Promise<PartitionAnswer> {
  const { name, partition, isRepeated } = asked
  const { partitionIndex, currentLeaderEpoch, timestamp } = partition
  const refused = (errorCode: number): PartitionAnswer => ({
    ...{ partitionIndex, errorCode, oldStyleOffsets: [] },
  })
  if (!call.may('describe', 'topic', name)) return refused(errorCodes.TOPIC_AUTHORIZATION_FAILED)
  if (isRepeated) return refused(errorCodes.INVALID_REQUEST)
  const found = server.parts.topics.find(name)?.partitions[partitionIndex]
  if (found === undefined) return refused(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  if (timestamp < 0 && call.version < (sinceVersion.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
    return refused(errorCodes.UNSUPPORTED_VERSION)
  }
  try {
    const { log } = found
    const epochError = leaderEpochError(log, currentLeaderEpoch)
    if (epochError !== errorCodes.NONE) return refused(epochError)
    const isCommitted = request.isolationLevel !== 0
    const result = await offsetOf(log, timestamp, isCommitted)
    return { partitionIndex, errorCode: errorCodes.NONE, oldStyleOffsets: [], ...result }
  } catch (error) {
    if (kafkaErrorOf(error) === null) server.logger.error({ err: error }, 'looking up failed')
    return refused(toldError(error).errorCode)
  }
}

async function offsetOf(log: Log, timestamp: Timestamp, isCommitted: boolean): Promise<Found> {
  const { logStartOffset, lastStableOffset, highWatermark } = log
  const end = isCommitted ? lastStableOffset : highWatermark
  switch (timestamp) {
    case latest:
      return { offset: end, timestamp: -1, leaderEpoch: log.leaderEpoch }
    case earliest:
    case earliestLocal: {
      // A log in which nothing was written yet is in its present epoch.
      const leaderEpoch = log.leaderEpochAt(logStartOffset) ?? log.leaderEpoch
      return { offset: logStartOffset, timestamp: -1, leaderEpoch }
    }
    case latestTiered:
      return none
  }
  const found =
    timestamp === ofLatestTime ? await log.latestRecord() : await log.offsetForTimestamp(timestamp)
  // What committed readers do not see yet is not found for them either.
  if (found === null || found.offset >= end) return none
  return { ...found, leaderEpoch: log.leaderEpochAt(found.offset) ?? -1 }
}

/** By topic. */
function repeatedPartitions({ topics }: Request): ReadonlyMap<string, ReadonlySet<number>> {
  const seen = new Map<string, Set<number>>()
  const repeated = new Map<string, Set<number>>()
  for (const { name, partitions } of topics) {
    const seenOfIt = seen.get(name) ?? new Set()
    seen.set(name, seenOfIt)
    for (const { partitionIndex } of partitions) {
      if (seenOfIt.has(partitionIndex)) {
        const repeatedOfIt = repeated.get(name) ?? new Set()
        repeated.set(name, repeatedOfIt.add(partitionIndex))
      }
      seenOfIt.add(partitionIndex)
    }
  }
  return repeated
}
