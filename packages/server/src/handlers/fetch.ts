import type { Partition } from '@varve/broker/serving'
import type { Isolation, Log } from '@varve/log'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { Client } from '../base/client.ts'
import { MemoryBudget } from '../base/memory-budget.ts'
import type { ServerContext } from '../base/server-context.ts'
import { AnswerReading } from '../fetching/answer-reading.ts'
import type { WantedPartition } from '../fetching/fetch-session.ts'
import { FetchSessions } from '../fetching/fetch-sessions.ts'
import { type Awaited, FetchWait, WaitingRoom } from '../fetching/fetch-wait.ts'
import { PartitionReading } from '../fetching/partition-reading.ts'
import { ToldPartitions } from '../fetching/told-partitions.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { fetch } from '../protocol/apis/fetch.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof fetch>
type Response = ResponseOf<typeof fetch>

/**
 * What answers may take together while they are being read. From then on they count among those
 * that their clients do not read; so who does not read holds up nobody else here.
 */
const readingBytesMax = 64 * 2 ** 20

/** Fetch: batches as they are stored, and a wait for them where there are too few. */
export function fetchHandler(server: ServerContext): ApiHandler {
  const { clock, stopping } = server
  const sessions = new FetchSessions(clock)
  const room = new WaitingRoom(clock, stopping)
  const budget = new MemoryBudget(readingBytesMax)
  const { fetchBytesMax } = server.options
  return handlerOf(fetch, { versions: '4-18' }, (call, asked) => {
    const plan = sessions.plan(asked, call.version)
    const request = allowed(call, asked)
    const { errorCode, session } = plan
    if (errorCode !== errorCodes.NONE) {
      return { errorCode, sessionId: 0, responses: [] }
    }
    const readings: PartitionReading[] = []
    const answer = (): Response | Promise<Response> => {
      if (session !== null && session.epoch !== plan.sessionEpoch) {
        // The same request has come a second time meanwhile.
        const { INVALID_FETCH_SESSION_EPOCH } = errorCodes
        const { sessionId } = session
        return { errorCode: INVALID_FETCH_SESSION_EPOCH, sessionId, responses: [] }
      }
      if (call.throttle?.admitsFetched(sizeOf(readings)) === false) {
        const goesOn = sessions.withhold(plan)
        return { errorCode, sessionId: goesOn?.sessionId ?? 0, responses: [] }
      }
      const told = new ToldPartitions(plan)
      const { topics: responses } = told
      const response = { errorCode, sessionId: session?.sessionId ?? 0, responses }
      return after(
        call.turns.each(readings, (reading) => told.tell(reading)),
        () => response,
      )
    }
    const maxBytes = Math.max(0, Math.min(request.maxBytes, fetchBytesMax))
    const read = () => {
      const reading = new AnswerReading(readings, maxBytes, budget, call.turns)
      return after(fill(room, call, request, reading), answer)
    }
    const open = readingOpener(server, call, request)
    return after(
      call.turns.each([...plan.partitions], (wanted) => readings.push(open(wanted))),
      read,
    )
  })
}

/** At once where nothing has to be waited for. */
function after<Result>(
  waiting: Promise<void> | undefined,
  next: () => Result | Promise<Result>,
): Result | Promise<Result> {
  return waiting === undefined ? next() : waiting.then(next)
}

/** No more than the client's quota can ever allow. */
function allowed({ throttle }: Call, request: Request): Request {
  if (throttle === null) return request
  const { fetchBytesMax } = throttle
  const { minBytes, maxBytes } = request
  return {
    ...request,
    minBytes: Math.min(minBytes, fetchBytesMax),
    maxBytes: Math.min(maxBytes, fetchBytesMax),
  }
}

function sizeOf(readings: readonly PartitionReading[]): number {
  return readings.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** Reads, and waits before that where there is not enough; a promise where it takes time. */
function fill(
  room: WaitingRoom,
  { client }: Call,
  { minBytes, maxWaitMs }: Request,
  answer: AnswerReading,
): Promise<void> | undefined {
  const { readings } = answer
  const isReady = (): boolean => readings.some((reading) => reading.hasNews)
  const waits = maxWaitMs > 0 && minBytes > 0 && readings.length > 0
  if (!waits) return answer.read()
  const awaited = { logs: logsOf(readings), bytes: minBytes, maxMs: maxWaitMs, isReady }
  if (isReady()) {
    const reading = answer.read()
    // Nearly everybody is content with anything.
    return minBytes <= 1 ? reading : fillUp(room, client, awaited, answer, reading)
  }
  return FetchWait.until(room, client, awaited).then(() => answer.read())
}

/** After the first look: the rest of what is asked for is waited for, and all is read anew. */
async function fillUp(
  room: WaitingRoom,
  client: Client,
  awaited: Awaited,
  answer: AnswerReading,
  reading: Promise<void> | undefined,
): Promise<void> {
  await reading
  const missingBytes = Math.min(awaited.bytes, answer.maxBytes) - answer.sizeBytes
  if (missingBytes <= 0 || answer.readings.some(({ isUrgent }) => isUrgent)) return
  await FetchWait.until(room, client, { ...awaited, bytes: missingBytes, isReady: () => true })
  await answer.read()
}

function logsOf(readings: readonly PartitionReading[]): ReadonlySet<Log> {
  return new Set(readings.flatMap(({ log }) => log ?? []))
}

function readingOpener(
  { parts: { topics }, logger }: ServerContext,
  call: Call,
  request: Request,
): (entry: readonly [string, WantedPartition]) => PartitionReading {
  const isolation: Isolation = request.isolationLevel === 0 ? 'uncommitted' : 'committed'
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
  const memory = (sizeBytes: number): Buffer => call.answerMemory(sizeBytes)
  const context = { isolation, logger, memory }
  return ([key, wanted]) => new PartitionReading(key, wanted, find(wanted), context)
}
