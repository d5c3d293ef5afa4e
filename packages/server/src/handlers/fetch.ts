import type { Partition } from '@varve/broker/serving'
import type { Isolation, Log } from '@varve/log'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { WantedPartition } from '../fetching/fetch-session.ts'
import { type FetchPlan, FetchSessions } from '../fetching/fetch-sessions.ts'
import { FetchWait, WaitingRoom } from '../fetching/fetch-wait.ts'
import { PartitionReading } from '../fetching/partition-reading.ts'
import { toldPartitions } from '../fetching/told-partitions.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { fetch } from '../protocol/apis/fetch.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof fetch>
type Response = ResponseOf<typeof fetch>

/** Kafka's fetch.max.bytes of a broker. */
const fetchBytesMax = 55 * 2 ** 20

/** Fetch: batches as they are stored, and a wait for them where there are too few. */
export function fetchHandler(server: ServerContext): ApiHandler {
  const { clock, stopping } = server
  const sessions = new FetchSessions(clock)
  const room = new WaitingRoom(clock, stopping)
  return handlerOf(fetch, { versions: '4-18' }, (call, request) => {
    const plan = sessions.plan(request, call.version)
    const { errorCode, session } = plan
    if (errorCode !== errorCodes.NONE) {
      return { errorCode, sessionId: 0, responses: [] }
    }
    const readings = readingsOf(server, call, request, plan)
    const answer = (): Response => {
      if (session !== null && session.epoch !== plan.sessionEpoch) {
        // The same request has come a second time meanwhile.
        const { INVALID_FETCH_SESSION_EPOCH } = errorCodes
        const { sessionId } = session
        return { errorCode: INVALID_FETCH_SESSION_EPOCH, sessionId, responses: [] }
      }
      const responses = toldPartitions(readings, plan)
      return { errorCode, sessionId: session?.sessionId ?? 0, responses }
    }
    const filled = fill(room, call, request, readings)
    return filled === undefined ? answer() : filled.then(answer)
  })
}

/** Reads, and waits before that where there is not enough; a promise where it takes time. */
function fill(
  room: WaitingRoom,
  call: Call,
  request: Request,
  readings: readonly PartitionReading[],
): Promise<void> | undefined {
  const isReady = (): boolean => readings.some((reading) => reading.hasNews)
  const { minBytes, maxWaitMs } = request
  const waits = maxWaitMs > 0 && minBytes > 0 && readings.length > 0
  if (!waits) return read(request, readings, 0)
  if (isReady()) {
    const reading = read(request, readings, 0)
    // Nearly everybody is content with anything.
    if (minBytes <= 1) return reading
    return fillUp(room, call, request, readings, reading)
  }
  const logs = logsOf(readings)
  const awaited = { logs, bytes: minBytes, maxMs: maxWaitMs, isReady }
  return FetchWait.until(room, call.client, awaited).then(() => read(request, readings, 0))
}

/** After the first look: the rest of what is asked for is waited for, and all is read anew. */
async function fillUp(
  room: WaitingRoom,
  { client }: Call,
  request: Request,
  readings: readonly PartitionReading[],
  reading: Promise<void> | undefined,
): Promise<void> {
  await reading
  const sizeBytes = readings.reduce((sum, one) => sum + one.sizeBytes, 0)
  const missingBytes = Math.min(request.minBytes, bytesMaxOf(request)) - sizeBytes
  if (missingBytes <= 0 || readings.some(({ isUrgent }) => isUrgent)) return
  const isReady = (): boolean => true
  const logs = logsOf(readings)
  const { maxWaitMs: maxMs } = request
  await FetchWait.until(room, client, { logs, bytes: missingBytes, maxMs, isReady })
  await read(request, readings, 0)
}

/** Reads partition by partition, until the whole is full; on from one of them. */
function read(
  request: Request,
  readings: readonly PartitionReading[],
  from: number,
): Promise<void> | undefined {
  let leftBytes = bytesMaxOf(request)
  for (let index = 0; index < from; index++) leftBytes -= readings[index]?.sizeBytes ?? 0
  let isAnyRead = leftBytes < bytesMaxOf(request)
  for (let index = from; index < readings.length; index++) {
    const one = readings[index] as PartitionReading
    const maxBytes = Math.max(0, leftBytes)
    const reading = one.read({ maxBytes, isFirstWhole: !isAnyRead })
    if (reading !== undefined) return reading.then(() => read(request, readings, index + 1))
    leftBytes -= one.sizeBytes
    isAnyRead ||= one.sizeBytes > 0
  }
  return undefined
}

function bytesMaxOf({ maxBytes }: Request): number {
  return Math.max(0, Math.min(maxBytes, fetchBytesMax))
}

function logsOf(readings: readonly PartitionReading[]): ReadonlySet<Log> {
  return new Set(readings.flatMap(({ log }) => log ?? []))
}

function readingsOf(
  { parts: { topics }, logger }: ServerContext,
  call: Call,
  request: Request,
  { partitions }: FetchPlan,
): PartitionReading[] {
  const isolation: Isolation = request.isolationLevel === 1 ? 'committed' : 'uncommitted'
  const isFollower = request.replicaId >= 0 || request.replicaState.replicaId >= 0
  const mayFollow = isFollower && call.may('clusterAction', 'cluster', clusterResource)
  const mayRead = new Map<string, boolean>()
  const find = (wanted: WantedPartition): Partition | number => {
    const isById = call.version >= 13
    const topic = isById ? topics.findById(wanted.topicId) : topics.find(wanted.topic)
    if (topic === null && isById) return errorCodes.UNKNOWN_TOPIC_ID
    const name = topic?.name ?? wanted.topic
    let may = mayRead.get(name)
    if (may === undefined) {
      may = isFollower ? mayFollow : call.may('read', 'topic', name)
      mayRead.set(name, may)
    }
    if (!may) return errorCodes.TOPIC_AUTHORIZATION_FAILED
    const partition = topic?.partitions[wanted.partition]
    if (partition === undefined) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION
    // There are no replicas that could follow.
    return isFollower ? errorCodes.NOT_LEADER_OR_FOLLOWER : partition
  }
  const context = { isolation, logger }
  return [...partitions].map(([key, wanted]) => {
    return new PartitionReading(key, wanted, find(wanted), context)
  })
}
