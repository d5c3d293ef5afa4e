import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { apis } from '../../src/protocol/apis.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/messages.ts'
import { openRequest } from '../../src/protocol/requests.ts'
import { checkProperty } from '../property.ts'
import { frameOf } from './frame-of.ts'
import { messageArbitrary, versionsIn } from './message-arbitrary.ts'

const runs = 8
const origin = { correlationId: 77, clientId: 'a client' }

describe('whatever a message says is read again, in every version:', () => {
  for (const api of apis) {
    test(`${api.name} ${api.versions}`, () => {
      for (const version of versionsIn(api)) {
        checkProperty(messageArbitrary(api, 'request', version), runs, (message) => {
          const frame = frameOf(encodeRequest(api, version, origin, message as never))
          const request = openRequest(frame)
          expect(request.api).toBe(api)
          expect(request.header).toMatchObject({ apiVersion: version, ...origin })
          expect(decodeRequest(api, version, frame, request.bodyAt)).toEqual(message)
        })
        checkProperty(messageArbitrary(api, 'response', version), runs, (message) => {
          const frame = frameOf(encodeResponse(api, version, 78, message as never))
          expect(decodeResponse(api, version, frame)).toEqual({
            correlationId: 78,
            response: message,
          })
        })
      }
    })
  }
})

test('what a message leaves out is sent as its default', () => {
  const frame = frameOf(
    encodeRequest(heartbeat, 4, origin, { groupId: 'g', generationId: 3, memberId: 'm' }),
  )
  const request = decodeRequest(heartbeat, 4, frame, openRequest(frame).bodyAt)
  expect(request).toEqual({
    groupId: 'g',
    generationId: 3,
    memberId: 'm',
    groupInstanceId: null,
  })
})

test('fields that a version does not have are not sent, and are read as their defaults', () => {
  const response = { throttleTimeMs: 5, errorCode: 27 }
  const answer = decodeResponse(heartbeat, 0, frameOf(encodeResponse(heartbeat, 0, 1, response)))
  expect(answer.response).toEqual({ throttleTimeMs: 0, errorCode: 27 })
})

test('large records are sent from where they are, in as many pieces as they come in', () => {
  const large = [Buffer.alloc(3000, 1), Buffer.alloc(10, 2)]
  const partitions = [
    { partitionIndex: 0, records: large },
    { partitionIndex: 1, records: Buffer.from('small') },
    { partitionIndex: 2, records: null },
  ].map((partition) => {
    return { ...partition, errorCode: 0, highWatermark: 9, abortedTransactions: null }
  })
  for (const version of versionsIn(fetch)) {
    const pieces = encodeResponse(fetch, version, 1, { responses: [{ topic: 't', partitions }] })
    expect(pieces.length).toBe(4)
    expect(pieces[1]).toBe(large[0])
    expect(pieces[2]).toBe(large[1])
    const { response } = decodeResponse(fetch, version, frameOf(pieces))
    const records = response.responses[0]?.partitions.map((partition) => partition.records)
    expect(records).toEqual([Buffer.concat(large), Buffer.from('small'), null])
  }
})

test('records that are read are views of their frame', () => {
  const records = Buffer.from('records')
  const frame = frameOf(
    encodeRequest(produce, 9, origin, {
      acks: -1,
      timeoutMs: 1,
      topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
    }),
  )
  const request = decodeRequest(produce, 9, frame, openRequest(frame).bodyAt)
  const view = request.topicData[0]?.partitionData[0]?.records
  expect(view).toEqual(records)
  expect(view?.buffer).toBe(frame.buffer)
})

test('a frame holds only its message, whatever was sent before', () => {
  const large = { groups: [], throttleTimeMs: 0, topics: [] }
  const response = { ...large, brokers: [], clusterId: 'x'.repeat(30_000) }
  encodeResponse(metadata, 13, 1, response)
  const [piece] = encodeResponse(heartbeat, 0, 1, { errorCode: 0 })
  expect(Buffer.from(piece ?? []).toString('hex')).toBe('00000006000000010000')
})

describe('what cannot be sent is refused, and the error names the field:', () => {
  const topic = { topicId: 'A'.repeat(22), isInternal: false, errorCode: 0, partitions: [] }
  const answer = (version: number, topics: unknown): void => {
    encodeResponse(metadata, version, 1, { brokers: [], topics: topics as never })
  }
  test.each([
    ['null where the version has none', () => answer(11, [{ ...topic, name: null }])],
    [
      'a string of more than 32767 bytes',
      () => answer(9, [{ ...topic, name: 'ü'.repeat(17_000) }]),
    ],
    ['something else than a string', () => answer(9, [{ ...topic, name: 5 }])],
    ['nothing, without a default', () => answer(9, [{ ...topic }])],
  ])('%s', (_what, act) => {
    expect(act).toThrow(InvalidArgumentError)
    expect(act).toThrow(/Metadata v\d+ response: topics\[0\]\.name is/)
  })

  test.each([
    ['a number out of range', { errorCode: 40_000 }, 'errorCode'],
    ['a fraction', { errorCode: 0.5 }, 'errorCode'],
    ['not a number', { errorCode: Number.NaN }, 'errorCode'],
    ['no array', { errorCode: 0, topics: 5 }, 'topics'],
    ['no object in an array', { errorCode: 0, topics: [null] }, 'topics[0]'],
  ])('%s', (_what, change, field) => {
    const message = { brokers: [], topics: [], ...change }
    const act = () => encodeResponse(metadata, 13, 1, message as never)
    expect(act).toThrow(`Metadata v13 response: ${field} is`)
  })
})
