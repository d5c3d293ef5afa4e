import { expect, test } from 'vitest'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { decodeRequest, decodeResponse, encodeResponse } from '../../src/protocol/messages.ts'
import { MalformedMessageError, UnsupportedApiError } from '../../src/protocol/protocol-errors.ts'
import { openRequest } from '../../src/protocol/requests.ts'
import { frameOf } from './frame-of.ts'

test('a request of kafkajs is what it was', () => {
  // Heartbeat v3 of a client 'kafkajs', byte by byte.
  const frame = Buffer.from(
    '000c0003000000090007' +
      Buffer.from('kafkajs').toString('hex') +
      '000167' +
      '00000005' +
      '00016d' +
      'ffff',
    'hex',
  )
  const { api, header, bodyAt } = openRequest(frame)
  expect(api).toBe(heartbeat)
  expect(header).toMatchObject({ apiVersion: 3, correlationId: 9, clientId: 'kafkajs' })
  expect(decodeRequest(heartbeat, 3, frame, bodyAt)).toEqual({
    groupId: 'g',
    generationId: 5,
    memberId: 'm',
    groupInstanceId: null,
  })
})

test('tagged fields in the header of a flexible request are stepped over', () => {
  const frame = Buffer.from('001200030000000100000105026869' + '0261' + '0262' + '00', 'hex')
  const { header, bodyAt } = openRequest(frame)
  expect(header.clientId).toBe('')
  expect(decodeRequest(apiVersions, 3, frame, bodyAt)).toEqual({
    clientSoftwareName: 'a',
    clientSoftwareVersion: 'b',
  })
})

test('an API or version that is not declared is told, with what an answer needs', () => {
  const unknown = (hex: string) => () => openRequest(Buffer.from(hex, 'hex'))
  expect(unknown('7d000000000000010000')).toThrow(UnsupportedApiError)
  expect(unknown('7d000000000000010000')).toThrow('version 0 of the API with key 32000')
  expect(unknown('000cffff000000010000')).toThrow('version -1 of Heartbeat is not supported')
  try {
    // A client from the future asks what there is; nothing behind its name can be read.
    openRequest(Buffer.from('00120063000000070000ff', 'hex'))
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({ apiKey: 18, apiVersion: 99, correlationId: 7 })
  }
})

test('the answer to ApiVersions has the oldest header in every version', () => {
  for (const version of [0, 3, 4]) {
    const answer = { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] }
    const frame = frameOf(encodeResponse(apiVersions, version, 7, answer))
    // Behind the correlation id comes the error.
    expect(frame.subarray(0, 6).toString('hex')).toBe('000000070023')
    expect(decodeResponse(apiVersions, version, frame).response).toMatchObject(answer)
  }
})

test('the oldest request of all has no name of its client', () => {
  // ControlledShutdown v0.
  expect(() => openRequest(Buffer.from('0007000000000001' + '00000005', 'hex'))).toThrow(
    UnsupportedApiError,
  )
})

test('a header that is cut off or that has a senseless length is malformed', () => {
  const whole = Buffer.from('000c00030000000900076b61666b616a73', 'hex')
  for (let size = 0; size < whole.length; size++) {
    expect(() => openRequest(whole.subarray(0, size))).toThrow(MalformedMessageError)
  }
  whole.writeInt16BE(-2, 8)
  expect(() => openRequest(whole)).toThrow('malformed request header: a length is -2 (byte 10)')
})
