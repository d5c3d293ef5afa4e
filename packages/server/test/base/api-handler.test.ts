import { expect, test } from 'vitest'
import { type Call, handlerOf } from '../../src/base/api-handler.ts'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { decodeResponse, encodeRequest } from '../../src/protocol/messages.ts'
import { MalformedMessageError } from '../../src/protocol/protocol-errors.ts'
import { openRequest } from '../../src/protocol/requests.ts'
import { readPieces } from '../read-pieces.ts'

const call = { version: 3, correlationId: 9, throttle: null } as Partial<Call> as Call
const frame = Buffer.concat(
  encodeRequest(
    heartbeat,
    3,
    { correlationId: 9, clientId: null },
    { groupId: 'g', generationId: 4, memberId: 'm', groupInstanceId: null },
  ),
).subarray(4)

test('a handler is given what a request says, and its answer is encoded', async () => {
  const handler = handlerOf(heartbeat, { versions: '0-4' }, ({ version }, { generationId }) => {
    return { errorCode: version + generationId }
  })
  const pieces = await handler.answer(call, openRequest(frame))
  const answer = readPieces(pieces).subarray(4)
  const { correlationId, response } = decodeResponse(heartbeat, 3, answer)
  expect({ correlationId, errorCode: response.errorCode }).toEqual({
    correlationId: 9,
    errorCode: 7,
  })
})

test('a client that is held to quotas is told how long to hold back', async () => {
  const ends: boolean[] = []
  const throttle = {
    timed: <Result>(step: () => Result): Result => step(),
    end: (isAnswered: boolean): number => {
      ends.push(isAnswered)
      return 250
    },
  }
  const handler = handlerOf(heartbeat, { versions: '0-4' }, () => ({ errorCode: 0 }))
  const silent = handlerOf(heartbeat, { versions: '0-4' }, () => null)
  const throttled = { ...call, throttle } as Partial<Call> as Call
  const pieces = await handler.answer(throttled, openRequest(frame))
  const answer = readPieces(pieces).subarray(4)
  expect(decodeResponse(heartbeat, 3, answer).response.throttleTimeMs).toBe(250)
  expect(await silent.answer(throttled, openRequest(frame))).toBeNull()
  expect(ends).toEqual([true, false])
})

test('a handler may answer nothing, and a body that is none is refused', async () => {
  const handler = handlerOf(heartbeat, { versions: '0-4' }, () => null)
  expect(await handler.answer(call, openRequest(frame))).toBeNull()
  const cut = openRequest(frame.subarray(0, frame.length - 3))
  await expect(handler.answer(call, cut)).rejects.toBeInstanceOf(MalformedMessageError)
})

test('what is not said of a handler is the careful choice', () => {
  const handler = handlerOf(heartbeat, { versions: '0-4' }, () => null)
  expect(handler).toMatchObject({
    ...{ versions: { first: 0, last: 4 }, advertised: { first: 0, last: 4 } },
    ...{ overlaps: false, keepsRequest: true, isForStrangers: false, outlivesClient: false },
  })
})
