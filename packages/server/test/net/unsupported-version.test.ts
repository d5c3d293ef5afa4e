import { expect, test } from 'vitest'
import { apiVersionsHandler } from '../../src/handlers/api-versions.ts'
import { offeredVersions, unsupportedVersionAnswer } from '../../src/net/unsupported-version.ts'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { decodeResponse } from '../../src/protocol/messages.ts'
import { UnsupportedApiError } from '../../src/protocol/protocol-errors.ts'

const handler = apiVersionsHandler(new Map())
const handlers = new Map([[handler.api.key, handler]])
const header = { apiVersion: 99, correlationId: 3, clientId: null, endsAt: 8 }

test('what is offered is what has a handler', () => {
  expect(offeredVersions(handlers)).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
})

test('only ApiVersions is answered in versions that are not known', () => {
  const error = new UnsupportedApiError('ApiVersions', { ...header, apiKey: 18 })
  const answer = Buffer.concat([...(unsupportedVersionAnswer(error, handlers) ?? [])]).subarray(4)
  const { correlationId, response } = decodeResponse(apiVersions, 0, answer)
  expect(correlationId).toBe(3)
  expect(response).toMatchObject({ errorCode: 35, apiKeys: offeredVersions(handlers) })
  const other = new UnsupportedApiError('Fetch', { ...header, apiKey: 1 })
  expect(unsupportedVersionAnswer(other, handlers)).toBeNull()
})
