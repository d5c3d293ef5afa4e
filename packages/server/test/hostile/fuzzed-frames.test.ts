import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ApiDeclaration } from '../../src/protocol/api-declaration.ts'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { apiByKey } from '../../src/protocol/apis.ts'
import { decodeResponse, encodeRequest } from '../../src/protocol/messages.ts'
import { type Message, messageArbitrary, versionsIn } from '../protocol/message-arbitrary.ts'
import { WireClient } from '../wire-client.ts'
import { WatchedServer } from './watched-server.ts'

/** Replays a run: VARVE_SEED=… as printed by the failure. */
const seed = Number(process.env['VARVE_SEED'] ?? Math.floor(performance.timeOrigin) % 2 ** 31)
const framesPerVersion = Number(process.env['VARVE_FUZZ_FRAMES'] ?? 2)

interface Frame {
  readonly api: ApiDeclaration
  readonly version: number
  readonly bytes: Buffer
  readonly isWhole: boolean
}

const mutation = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { maxLength: 6 })

/** Requests of what is offered: with any values, and with bytes changed and cut off. */
function framesOf(api: ApiDeclaration, version: number): readonly Frame[] {
  const options = { numRuns: framesPerVersion, seed: seed + api.key * 100 + version }
  const messages = fc.sample(messageArbitrary(api, 'request', version), options)
  const mutations = fc.sample(fc.tuple(mutation, fc.nat(100)), options)
  return messages.flatMap((message: Message, index) => {
    const whole = Buffer.concat(
      encodeRequest(api, version, { correlationId: 1, clientId: 'fuzz' }, message as never),
    )
    const [changes = [], cut = 100] = mutations[index] ?? []
    const changed = Buffer.from(whole)
    for (const [at, byte] of changes) changed[10 + (at % Math.max(1, whole.length - 10))] = byte
    const end = Math.max(4, Math.floor((whole.length * cut) / 100))
    const short = Buffer.from(changed.subarray(0, end))
    short.writeInt32BE(short.length - 4, 0)
    return [
      { api, version, bytes: whole, isWhole: true },
      { api, version, bytes: changed, isWhole: false },
      { api, version, bytes: short, isWhole: false },
    ]
  })
}

/** Sends it; an answer must be one, and must not say that something went wrong unforeseen. */
async function attack(
  port: number,
  { api, version, bytes, isWhole }: Frame,
): Promise<string | null> {
  await using client = await WireClient.connect(port)
  client.socket.write(bytes)
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), 150)
  })
  const answer = await Promise.race([client.next(), late])
  if (answer === undefined || answer === null || !isWhole) return null
  try {
    const { response } = decodeResponse(api, version, answer)
    return JSON.stringify(response).includes('ErrorCode":-1,') ||
      JSON.stringify(response).includes('errorCode":-1,')
      ? JSON.stringify(response).slice(0, 300)
      : null
  } catch (error) {
    return String(error)
  }
}

test('frames with anything in them are answered, or end their connection, and no other', async () => {
  await using watched = await WatchedServer.start({ autoCreateTopics: false })
  await watched.server.varve.createTopic('orders')
  await using asking = await WireClient.connect(watched.port)
  const { apiKeys } = await asking.call(apiVersions, 0, {})
  const frames = apiKeys.flatMap(({ apiKey, minVersion, maxVersion }) => {
    const api = apiByKey(apiKey)
    const versions = api === undefined ? [] : versionsIn(api)
    return versions
      .filter((version) => version >= minVersion && version <= maxVersion)
      .flatMap((version) => (api === undefined ? [] : framesOf(api, version)))
  })
  const wrong: string[] = []
  for (let at = 0; at < frames.length; at += 100) {
    await Promise.all(
      frames.slice(at, at + 100).map(async (frame) => {
        const fault = await attack(watched.port, frame)
        if (fault !== null) {
          wrong.push(`${frame.api.name} ${frame.version}: ${fault} ${frame.bytes.toString('hex')}`)
        }
      }),
    )
  }
  const replay = `replay with VARVE_SEED=${seed}`
  expect(frames.length, replay).toBeGreaterThan(1000)
  expect(wrong, replay).toEqual([])
  expect(watched.unforeseen, replay).toEqual([])
  expect(await watched.slowestMs(), replay).toBeLessThan(5000)
}, 90_000)
