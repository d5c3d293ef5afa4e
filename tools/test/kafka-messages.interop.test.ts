import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { apis } from '../../packages/server/src/protocol/apis.ts'
import { errorCodes, isRetriable } from '../../packages/server/src/protocol/error-codes.ts'
import { isFlexibleIn } from '../../packages/server/src/protocol/message-codec.ts'
import {
  requestHeaderVersion,
  responseHeaderVersion,
} from '../../packages/server/src/protocol/message-headers.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../packages/server/src/protocol/messages.ts'
import { openRequest } from '../../packages/server/src/protocol/requests.ts'
import { frameOf } from '../../packages/server/test/protocol/frame-of.ts'
import {
  messageArbitrary,
  versionsIn,
} from '../../packages/server/test/protocol/message-arbitrary.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { MessageTranscoder } from '../src/kafka/message-transcoder.ts'
import { kafkaJsonOf } from './kafka-interop/kafka-json.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

const runs = 25
const seed = process.env['VARVE_SEED']
const settings = { numRuns: runs, ...(seed !== undefined && { seed: Number(seed) }) }
const origin = { correlationId: 7, clientId: 'varve' }

describeWithKafka((release) => {
  test('Kafka has the same errors, and the same of them pass', async () => {
    const transcoder = new MessageTranscoder(release)
    try {
      for (const { name, code, retriable } of await transcoder.errors()) {
        expect(errorCodes, name).toHaveProperty(name, code)
        expect(isRetriable(code), name).toBe(retriable)
      }
    } finally {
      await transcoder.close()
    }
  })

  describe("Kafka's own classes make the same bytes of every message:", () =>
    describeBytes(release))
})

function describeBytes(release: KafkaRelease): void {
  let started: MessageTranscoder | null = null
  const transcoder = (): MessageTranscoder => {
    started ??= new MessageTranscoder(release)
    return started
  }
  afterAll(() => started?.close())

  for (const api of apis) {
    test(`${api.name} ${api.versions}`, async (context) => {
      const known = (await transcoder().versions())[String(api.key)]
      if (known?.name !== api.name) {
        return context.skip(`this release knows ${known === undefined ? 'none' : known.name}`)
      }
      const { first, last } = known
      const versions = versionsIn(api).filter((version) => version >= first && version <= last)
      for (const version of versions) {
        const { key } = api
        const isFlexible = isFlexibleIn(api, version)
        const check = async (kind: 'request' | 'response'): Promise<void> => {
          const property = fc.asyncProperty(
            messageArbitrary(api, kind, version),
            async (message) => {
              const json = kafkaJsonOf(api, kind, version, message)
              const theirs = await transcoder().encode({ key, kind, version, message: json })
              expect(theirs).toMatchObject({
                requestHeader: requestHeaderVersion(key, version, isFlexible),
                responseHeader: responseHeaderVersion(key, isFlexible),
              })
              if (kind === 'request') {
                const frame = frameOf(encodeRequest(api, version, origin, message as never))
                const { bodyAt } = openRequest(frame)
                expect(frame.subarray(bodyAt).toString('hex')).toBe(theirs.bytes.toString('hex'))
                const again = Buffer.concat([frame.subarray(0, bodyAt), theirs.bytes])
                expect(decodeRequest(api, version, again, bodyAt)).toEqual(message)
              } else {
                const frame = frameOf(encodeResponse(api, version, 7, message as never))
                const bodyAt = 4 + responseHeaderVersion(key, isFlexible)
                expect(frame.subarray(bodyAt).toString('hex')).toBe(theirs.bytes.toString('hex'))
                const again = Buffer.concat([frame.subarray(0, bodyAt), theirs.bytes])
                expect(decodeResponse(api, version, again).response).toEqual(message)
              }
            },
          )
          await fc.assert(property, settings)
        }
        await check('request')
        await check('response')
      }
    })
  }
}
