import { VarveError } from '@varve/record'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { type Api, apis } from '../../src/protocol/apis.ts'
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

const origin = { correlationId: 1, clientId: 'c' }

/** A frame of any request or response of any API and version. */
const anyFrame = fc
  .constantFrom(...apis.flatMap((api) => versionsIn(api).map((version) => ({ api, version }))))
  .chain(({ api, version }) => {
    const request = messageArbitrary(api, 'request', version).map((message) => {
      return frameOf(encodeRequest(api, version, origin, message as never))
    })
    const response = messageArbitrary(api, 'response', version).map((message) => {
      return frameOf(encodeResponse(api, version, 1, message as never))
    })
    return fc.record({ api: fc.constant(api), version: fc.constant(version), request, response })
  })

describe('whatever the bytes are, reading them ends in a message or a typed error', () => {
  test('when they are random', () => {
    const input = fc.tuple(anyFrame, fc.uint8Array({ maxLength: 200 }))
    checkProperty(input, 800, ([{ api, version }, noise]) => {
      const bytes = Buffer.from(noise)
      readBoth(api, version, bytes, bytes)
    })
  })

  test('when they are cut off', () => {
    checkProperty(anyFrame, 100, ({ api, version, request, response }) => {
      for (let size = 0; size < Math.min(request.length, 300); size++) {
        readBoth(api, version, request.subarray(0, size), response.subarray(0, size))
      }
    })
  })

  test('when some of them were changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 })
    checkProperty(fc.tuple(anyFrame, changes), 1000, ([frame, list]) => {
      const { api, version, request, response } = frame
      for (const [at, value] of list) {
        request[8 + (at % Math.max(request.length - 8, 1))] = value
        response[4 + (at % Math.max(response.length - 4, 1))] = value
      }
      readBoth(api, version, request, response)
    })
  })

  test('when a number in them is one of the extremes', () => {
    const extremes = ['00000000', 'ffffffff', '7fffffff', '80000000', 'ffffffff0f', 'ffffffffff7f']
    const input = fc.tuple(anyFrame, fc.constantFrom(...extremes))
    checkProperty(input, 80, ([{ api, version, request, response }, extreme]) => {
      const value = Buffer.from(extreme, 'hex')
      for (let at = 8; at < Math.min(request.length, 200); at++) {
        const [one, other] = [Buffer.from(request), Buffer.from(response)]
        value.copy(one, at)
        value.copy(other, Math.min(at - 4, other.length))
        readBoth(api, version, one, other)
      }
    })
  })
})

test('what is cut off anywhere is refused, and a response that goes on', () => {
  checkProperty(anyFrame, 100, ({ api, version, request, response }) => {
    const { bodyAt } = openRequest(request)
    for (let size = bodyAt; size < request.length; size++) {
      expect(() => decodeRequest(api, version, request.subarray(0, size), bodyAt)).toThrow(
        VarveError,
      )
    }
    const longer = Buffer.concat([response, Buffer.alloc(1)])
    expect(() => decodeResponse(api, version, longer)).toThrow('1 bytes follow the message')
  })
})

test('what follows a request is let be, as Kafka does', () => {
  checkProperty(anyFrame, 100, ({ api, version, request }) => {
    const { bodyAt } = openRequest(request)
    const longer = Buffer.concat([request, Buffer.from([1, 2, 3])])
    expect(decodeRequest(api, version, longer, bodyAt)).toEqual(
      decodeRequest(api, version, request, bodyAt),
    )
  })
})

describe('a count or length that its message cannot hold is refused before memory is spent on it', () => {
  const huge = 2 ** 31 - 1
  test.each([
    ['classic', 3, int32(huge)],
    ['compact', 5, 'ffffffff07'],
  ])('in %s form', (_form, version, count) => {
    const frame = Buffer.concat([
      headerOf(describeGroups, version),
      Buffer.from(count, 'hex'),
      Buffer.alloc(1000, 1),
    ])
    const { bodyAt } = openRequest(frame)
    expect(() => decodeRequest(describeGroups, version, frame, bodyAt)).toThrow(
      /malformed DescribeGroups v\d request: \d+ elements do not fit in the 1000 bytes left/,
    )
  })

  test('with the place of the field', () => {
    const frame = frameOf(
      encodeRequest(produce, 3, origin, {
        acks: 1,
        timeoutMs: 1,
        topicData: [
          { name: 'a', partitionData: [] },
          { name: 'b', partitionData: [{ index: 0, records: Buffer.from('abcd') }] },
        ],
      }),
    )
    frame.writeInt32BE(5, frame.length - 8)
    const { bodyAt } = openRequest(frame)
    expect(() => decodeRequest(produce, 3, frame, bodyAt)).toThrow(
      expect.objectContaining({
        field: 'topicData[1].partitionData[0].records',
        reason: '5 bytes are announced and 4 are left',
      }),
    )
  })

  test('when all arrays together have too many elements', () => {
    const names = Array.from({ length: 3000 }, () => '')
    const frame = frameOf(encodeRequest(describeGroups, 5, origin, { groups: names }))
    const { bodyAt } = openRequest(frame)
    const read = (elementsMax: number) => {
      return decodeRequest(describeGroups, 5, frame, bodyAt, { elementsMax }).groups.length
    }
    expect(read(3000)).toBe(3000)
    expect(() => read(2999)).toThrow('the message has too many elements')
  })
})

test('an int64 that a number cannot hold is refused, or comes as the nearest where order counts', () => {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: 1, offset: 1 }] }]
  const request = frameOf(encodeRequest(listOffsets, 1, origin, { topics }))
  request.write('7fffffffffffffff', request.length - 8, 'hex')
  const { bodyAt } = openRequest(request)
  const { timestamp } =
    decodeRequest(listOffsets, 1, request, bodyAt).topics[0]?.partitions[0] ?? {}
  expect(timestamp).toBe(Number.MAX_SAFE_INTEGER)
  request.write('8000000000000000', request.length - 8, 'hex')
  const least = decodeRequest(listOffsets, 1, request, bodyAt).topics[0]?.partitions[0]?.timestamp
  expect(least).toBe(Number.MIN_SAFE_INTEGER)

  const results = [
    {
      name: 't',
      partitions: [{ partitionIndex: 0, errorCode: 0, offset: 5, oldStyleOffsets: [] }],
    },
  ]
  const response = frameOf(encodeResponse(listOffsets, 1, 1, { topics: results }))
  response.write('0020000000000000', response.length - 8, 'hex')
  expect(() => decodeResponse(listOffsets, 1, response)).toThrow('an int64 is beyond ±(2^53-1)')
})

describe('tagged fields', () => {
  const plain = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
  const frame = frameOf(encodeRequest(heartbeat, 4, origin, plain))
  const withTags = (hex: string): Buffer => {
    return Buffer.concat([frame.subarray(0, -1), Buffer.from(hex, 'hex')])
  }
  const read = (bytes: Buffer) => decodeRequest(heartbeat, 4, bytes, openRequest(bytes).bodyAt)

  test('that are not known are stepped over and leave nothing behind', () => {
    expect(read(withTags('02' + '0503aabbcc' + '8001' + '00'))).toEqual(plain)
  })

  test.each([
    ['twice', '02' + '0100' + '0100'],
    ['out of order', '02' + '0200' + '0100'],
    ['longer than the message', '01' + '0105aabb'],
    ['more than there are', '03' + '0100' + '0200'],
    ['with a tag that is no 31-bit number', '01' + 'ffffffff0f00'],
    ['with a tag of six bytes', '01' + '80808080800000'],
  ])('%s are refused', (_what, hex) => {
    expect(() => read(withTags(hex))).toThrow(VarveError)
  })

  test('that are known must have the size that they announce', () => {
    const answer = frameOf(
      encodeResponse(produce, 10, 1, {
        responses: [],
        nodeEndpoints: [{ nodeId: 1, host: 'h', port: 2 }],
      }),
    )
    const sizeAt = answer.length - 14
    expect(decodeResponse(produce, 10, answer).response.nodeEndpoints.length).toBe(1)
    answer[sizeAt] = (answer[sizeAt] ?? 0) - 1
    expect(() => decodeResponse(produce, 10, answer)).toThrow(VarveError)
  })
})

test('null is refused where a version does not have it', () => {
  // Metadata v0 has no null for all topics.
  const frame = Buffer.concat([headerOf(metadata, 0), Buffer.from(int32(-1), 'hex')])
  expect(() => decodeRequest(metadata, 0, frame, 11)).toThrow('null, where null is not allowed')
  const later = Buffer.concat([headerOf(metadata, 1), Buffer.from(int32(-1), 'hex')])
  expect(decodeRequest(metadata, 1, later, 11).topics).toBe(null)
})

/** Reads bytes as a request and as a response, and lets nothing but typed errors pass. */
function readBoth(api: Api, version: number, request: Buffer, response: Buffer): void {
  orTyped(() => {
    const opened = openRequest(request)
    decodeRequest(opened.api, opened.header.apiVersion, request, opened.bodyAt)
  })
  orTyped(() => decodeRequest(api, version, request, Math.min(10, request.length)))
  orTyped(() => decodeResponse(api, version, response))
}

function orTyped(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
  }
}

/** The header of a request of the client 'c'. */
function headerOf(api: Api, version: number): Buffer {
  const header = Buffer.from('000000000000000100' + '0163', 'hex')
  header.writeInt16BE(api.key, 0)
  header.writeInt16BE(version, 2)
  const isFlexible = api.flexibleFrom !== null && version >= api.flexibleFrom
  return isFlexible ? Buffer.concat([header, Buffer.alloc(1)]) : header
}

function int32(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes.toString('hex')
}
