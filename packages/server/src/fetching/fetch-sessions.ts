import { randomInt } from 'node:crypto'
import type { Clock } from '@varve/log'
import type { RequestOf } from '../protocol/api-declaration.ts'
import type { fetch } from '../protocol/apis/fetch.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { FetchSession, nextEpoch, topicKey, type WantedPartition } from './fetch-session.ts'

type Request = RequestOf<typeof fetch>

/** How a request is to be answered. */
export interface FetchPlan {
  /** 0 for none; else the whole answer. */
  readonly errorCode: number
  readonly partitions: ReadonlyMap<string, WantedPartition>
  /** The session that goes on, or begins; null without one. */
  readonly session: FetchSession | null
  /** Of the session, as long as its next request has not come. */
  readonly sessionEpoch: number
  /** Whether only what has changed is told. */
  readonly isIncremental: boolean
}

/** Kafka's max.incremental.fetch.session.cache.slots. */
const sessionsMaxDefault = 1000
/** A session that was used so recently does not give way: Kafka's MIN_INCREMENTAL_…_EVICTION_MS. */
const evictionMs = 120_000
/** Of partitions of all sessions together; each takes some 200 bytes. */
const weightMax = 500_000
const initialEpoch = 0
const finalEpoch = -1

/**
 * The fetch sessions of a server (Kafka's FetchSessionCache): so many, and for so many partitions,
 * and no more. A client that gets none goes on with full fetches.
 */
export class FetchSessions {
  readonly #clock: Clock
  readonly #sessionsMax: number
  /** The least recently used first. */
  readonly #sessions = new Map<number, FetchSession>()
  readonly #weightMax: number
  #weight = 0

  constructor(clock: Clock, sessionsMax: number = sessionsMaxDefault, most: number = weightMax) {
    this.#clock = clock
    this.#sessionsMax = sessionsMax
    this.#weightMax = most
  }

  get count(): number {
    return this.#sessions.size
  }

  /** What a request asks for, by itself or with what its session knows. */
  plan(request: Request, version: number): FetchPlan {
    const { sessionId, sessionEpoch } = request
    const usesTopicIds = version >= 13
    if (sessionEpoch === initialEpoch || sessionEpoch === finalEpoch) {
      this.#remove(sessionId)
      const partitions = wantedOf(request)
      const isWanted = sessionEpoch === initialEpoch && version >= 7
      const session = isWanted ? this.#begin(partitions, usesTopicIds) : null
      return planOf(partitions, session, false)
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return refused(errorCodes.FETCH_SESSION_ID_NOT_FOUND)
    if (session.usesTopicIds !== usesTopicIds) {
      return refused(errorCodes.FETCH_SESSION_TOPIC_ID_ERROR)
    }
    if (session.epoch !== sessionEpoch) return refused(errorCodes.INVALID_FETCH_SESSION_EPOCH)
    return this.#goOn(session, request)
  }

  /**
   * Nothing is told of what was asked for. A session that begins with that is none: the client
   * takes no partitions for one, and asks for all anew.
   */
  withhold({ session, isIncremental }: FetchPlan): FetchSession | null {
    if (session === null || isIncremental) return session
    this.#remove(session.sessionId)
    return null
  }

  #goOn(session: FetchSession, request: Request): FetchPlan {
    const before = session.weight
    session.update(wantedOf(request), forgottenOf(request))
    const { partitions } = session
    this.#weight += session.weight - before
    if (session.weight > before && this.#weight > this.#weightMax) {
      // There is no room for what it has grown to: the client asks for all anew, without a session.
      this.#remove(session.sessionId)
      return refused(errorCodes.FETCH_SESSION_ID_NOT_FOUND)
    }
    if (partitions.size === 0) {
      this.#remove(session.sessionId)
      return planOf(partitions, null, false)
    }
    session.epoch = nextEpoch(session.epoch)
    this.#touch(session)
    return planOf(partitions, session, true)
  }

  /** Null where there is no room. */
  #begin(partitions: Map<string, WantedPartition>, usesTopicIds: boolean): FetchSession | null {
    if (partitions.size === 0) return null
    const nowMs = this.#clock.monotonic()
    let sessionId = 0
    do sessionId = randomInt(1, 2 ** 31 - 1)
    while (this.#sessions.has(sessionId))
    const session = new FetchSession(sessionId, partitions, usesTopicIds, nowMs)
    if (!this.#makeRoom(session, nowMs)) return null
    this.#sessions.set(sessionId, session)
    this.#weight += session.weight
    return session
  }

  /**
   * Drops the session that was not used for longest, if that is long enough ago; or else an old one
   * with fewer partitions, which gains less from being one.
   */
  #makeRoom({ partitions, weight }: FetchSession, nowMs: number): boolean {
    const isFull = (): boolean =>
      this.#sessions.size >= this.#sessionsMax || this.#weight + weight > this.#weightMax
    while (isFull()) {
      const [idlest] = this.#sessions.values()
      if (idlest === undefined) return false
      const isIdle = nowMs - idlest.usedMs > evictionMs
      const evicted = isIdle ? idlest : this.#smallestOld(partitions.size, nowMs)
      if (evicted === null) return false
      this.#remove(evicted.sessionId)
    }
    return true
  }

  #smallestOld(partitions: number, nowMs: number): FetchSession | null {
    let found: FetchSession | null = null
    for (const session of this.#sessions.values()) {
      const isOld = nowMs - session.createdMs > evictionMs
      const most = found?.partitions.size ?? partitions
      if (isOld && session.partitions.size < most) found = session
    }
    return found
  }

  #touch(session: FetchSession): void {
    session.usedMs = this.#clock.monotonic()
    this.#sessions.delete(session.sessionId)
    this.#sessions.set(session.sessionId, session)
  }

  #remove(sessionId: number): void {
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return
    this.#sessions.delete(sessionId)
    this.#weight -= session.weight
  }
}

function refused(errorCode: number): FetchPlan {
  return { ...planOf(new Map(), null, false), errorCode }
}

function planOf(
  partitions: ReadonlyMap<string, WantedPartition>,
  session: FetchSession | null,
  isIncremental: boolean,
): FetchPlan {
  const sessionEpoch = session?.epoch ?? 0
  return { errorCode: errorCodes.NONE, partitions, session, sessionEpoch, isIncremental }
}

function wantedOf(request: Request): Map<string, WantedPartition> {
  const wanted = new Map<string, WantedPartition>()
  for (const { topic, topicId, partitions } of request.topics) {
    const key = topicKey({ topic, topicId })
    for (const one of partitions) {
      wanted.set(`${key}:${one.partition}`, {
        topic,
        topicId,
        partition: one.partition,
        fetchOffset: one.fetchOffset,
        maxBytes: one.partitionMaxBytes,
        currentLeaderEpoch: one.currentLeaderEpoch,
        lastFetchedEpoch: one.lastFetchedEpoch,
        toldHighWatermark: -1,
        toldLogStartOffset: -1,
      })
    }
  }
  return wanted
}

function* forgottenOf(request: Request): Generator<string> {
  for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
    const key = topicKey({ topic, topicId })
    for (const partition of partitions) yield `${key}:${partition}`
  }
}
