import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { nextEpoch, topicKey } from '../../src/fetching/fetch-session.ts'
import { FetchSessions } from '../../src/fetching/fetch-sessions.ts'
import type { RequestOf } from '../../src/protocol/api-declaration.ts'
import type { fetch } from '../../src/protocol/apis/fetch.ts'
import { apiNamed } from '../../src/protocol/apis.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { decodeRequest, encodeRequest } from '../../src/protocol/messages.ts'
import { openRequest } from '../../src/protocol/requests.ts'

interface Shape {
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly partitions?: readonly number[]
  readonly forgotten?: readonly number[]
  readonly fetchOffset?: number
}

function requestOf(shape: Shape, version = 12): RequestOf<typeof fetch> {
  const { sessionId = 0, sessionEpoch = 0, partitions = [], forgotten = [] } = shape
  const { fetchOffset = 0 } = shape
  const api = apiNamed('Fetch')
  const topics = [
    {
      topic: 't',
      partitions: partitions.map((partition) => {
        return { partition, fetchOffset, partitionMaxBytes: 1 }
      }),
    },
  ]
  const body = { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch, topics }
  const forgottenTopicsData = [{ topic: 't', partitions: [...forgotten] }]
  const origin = { correlationId: 0, clientId: null }
  const pieces = encodeRequest(api, version, origin, { ...body, forgottenTopicsData })
  const { frame, bodyAt } = openRequest(Buffer.concat([...pieces]).subarray(4))
  return decodeRequest(api, version, frame, bodyAt)
}

test('a session remembers, adds, changes and forgets partitions', () => {
  const sessions = new FetchSessions(new ManualClock())
  const first = sessions.plan(requestOf({ partitions: [0, 1, 2] }), 12)
  const sessionId = first.session?.sessionId ?? 0
  const second = requestOf({ sessionId, sessionEpoch: 1, partitions: [3, 1], forgotten: [0] })
  const { partitions, isIncremental } = sessions.plan({ ...second }, 12)
  expect(isIncremental).toBe(true)
  expect([...partitions.values()].map(({ partition }) => partition)).toEqual([1, 2, 3])
  const moved = requestOf({ sessionId, sessionEpoch: 2, partitions: [2], fetchOffset: 9 })
  const offsets = [...sessions.plan(moved, 12).partitions.values()].map((one) => one.fetchOffset)
  expect(offsets).toEqual([0, 9, 0])
})

test('requests that are unknown, repeated or of another kind are refused', () => {
  const sessions = new FetchSessions(new ManualClock())
  const { session } = sessions.plan(requestOf({ partitions: [0] }), 12)
  const sessionId = session?.sessionId ?? 0
  const codeOf = (shape: Shape, version = 12) => {
    return sessions.plan(requestOf(shape, version), version).errorCode
  }
  const unknown = sessionId === 1 ? 2 : 1
  expect(codeOf({ sessionId: unknown, sessionEpoch: 1 })).toBe(
    errorCodes.FETCH_SESSION_ID_NOT_FOUND,
  )
  expect(codeOf({ sessionId, sessionEpoch: 2 })).toBe(errorCodes.INVALID_FETCH_SESSION_EPOCH)
  expect(codeOf({ sessionId, sessionEpoch: 1 }, 13)).toBe(errorCodes.FETCH_SESSION_TOPIC_ID_ERROR)
  expect(codeOf({ sessionId, sessionEpoch: 1 })).toBe(0)
  expect(codeOf({ sessionId, sessionEpoch: 2, forgotten: [0] })).toBe(0)
  expect(sessions.count).toBe(0)
})

test('there are so many and no more; a new one takes the place of an idle or smaller old one', () => {
  const clock = new ManualClock()
  const sessions = new FetchSessions(clock, 2)
  const begin = (partitions: readonly number[]) => {
    return sessions.plan(requestOf({ partitions }), 12).session?.sessionId ?? null
  }
  const large = begin([0, 1, 2]) ?? 0
  const small = begin([0]) ?? 0
  expect(begin([0, 1])).toBeNull()
  clock.advance(119_000)
  for (const sessionId of [large, small]) {
    sessions.plan(requestOf({ sessionId, sessionEpoch: 1 }), 12)
  }
  clock.advance(2_000)
  expect(begin([0])).toBeNull()
  expect(begin([0, 1])).not.toBeNull()
  const codeOf = (sessionId: number) => {
    return sessions.plan(requestOf({ sessionId, sessionEpoch: 2 }), 12).errorCode
  }
  expect([codeOf(large), codeOf(small)]).toEqual([0, errorCodes.FETCH_SESSION_ID_NOT_FOUND])
  clock.advance(121_000)
  expect(begin([0])).not.toBeNull()
  expect(sessions.count).toBe(2)
})

test('epochs wrap and leave out 0; partitions go by name or by id', () => {
  expect([nextEpoch(1), nextEpoch(2 ** 31 - 1)]).toEqual([2, 1])
  expect(topicKey({ topic: 't', topicId: 'x' })).toBe('t')
  expect(topicKey({ topic: '', topicId: 'x' })).toBe('x')
})

test('a session that grows beyond what all may take is dropped', () => {
  const sessions = new FetchSessions(new ManualClock(), 10, 5)
  const first = sessions.plan(requestOf({ partitions: [0, 1, 2] }), 12)
  const sessionId = first.session?.sessionId ?? 0
  const grown = sessions.plan(requestOf({ sessionId, sessionEpoch: 1, partitions: [3, 4] }), 12)
  expect(grown.errorCode).toBe(errorCodes.NONE)
  const swapped = { sessionId, sessionEpoch: 2, partitions: [5], forgotten: [0] }
  expect(sessions.plan(requestOf(swapped), 12).errorCode).toBe(errorCodes.NONE)
  const beyond = sessions.plan(requestOf({ sessionId, sessionEpoch: 3, partitions: [6] }), 12)
  expect(beyond.errorCode).toBe(errorCodes.FETCH_SESSION_ID_NOT_FOUND)
  expect(sessions.count).toBe(0)
  expect(sessions.plan(requestOf({ partitions: [0, 1, 2, 3, 4] }), 12).session).not.toBeNull()
})

test('names that no topic can have count for what they take', () => {
  const sessions = new FetchSessions(new ManualClock(), 10, 100)
  const request = requestOf({ partitions: [0, 1] })
  const topics = request.topics.map((topic) => ({ ...topic, topic: 'x'.repeat(20_000) }))
  const { session, partitions } = sessions.plan({ ...request, topics }, 12)
  expect(partitions.size).toBe(2)
  expect(session).toBeNull()
})
