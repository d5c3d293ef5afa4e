import { expect, test } from 'vitest'
import { isPassingFailure } from '../../src/cluster/cluster.ts'
import {
  ClusterAuthenticationError,
  ClusterRefusedError,
  KafkaClientMissingError,
} from '../../src/cluster/cluster-errors.ts'
import { groupErrorOf } from '../../src/cluster/group-failures.ts'
import { loadKafkaClient } from '../../src/cluster/kafka-client.ts'
import { BrokerAwayError, inOurWords } from '../../src/cluster/kafka-failures.ts'
import {
  FencedInstanceError,
  GroupNotEmptyError,
  IllegalGenerationError,
  RebalanceInProgressError,
  UnknownMemberError,
} from '../../src/groups/group-errors.ts'
import { errorOf } from '../broker-fixture.ts'

/** As the client makes them. */
async function clientErrors() {
  return loadKafkaClient()
}

test("an answer that says no is a refusal, with Kafka's code and words", async () => {
  const { ResponseError } = await clientErrors()
  const error = new ResponseError(0, 11, { '/': [10, 'too big'] }, {})
  const ours = inOurWords(error)
  expect(ours).toBeInstanceOf(ClusterRefusedError)
  expect(ours).toMatchObject({ kafkaErrorCode: 10, kafkaErrorName: 'MESSAGE_TOO_LARGE' })
  expect((ours as Error).message).toContain('too big')
  expect(isPassingFailure(ours)).toBe(false)
  const moved = inOurWords(new ResponseError(0, 11, { '/': [6, null] }, {}))
  expect(isPassingFailure(moved)).toBe(true)
})

test('no answer is a broker that is away, which passes', async () => {
  const { NetworkError, TimeoutError } = await clientErrors()
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:1')
  const away = inOurWords(new NetworkError('Connection to a failed.', { cause: refused }))
  expect(away).toBeInstanceOf(BrokerAwayError)
  expect((away as Error).message).toContain('ECONNREFUSED')
  expect(isPassingFailure(away)).toBe(true)
  expect(inOurWords(new TimeoutError('Request timed out'))).toBeInstanceOf(BrokerAwayError)
  expect(inOurWords(undefined)).toBeInstanceOf(BrokerAwayError)
})

test('who is not let in is told so, and does not try again', async () => {
  const { AuthenticationError, NetworkError } = await clientErrors()
  const refused = new AuthenticationError('SASL authentication failed.')
  const certificate = Object.assign(new Error('self-signed'), {
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  })
  for (const cause of [refused, certificate]) {
    const ours = inOurWords(new NetworkError('Connection to a failed.', { cause }))
    expect(ours).toBeInstanceOf(ClusterAuthenticationError)
    expect(isPassingFailure(ours)).toBe(false)
  }
})

test.each([
  [25, UnknownMemberError],
  [22, IllegalGenerationError],
  [27, RebalanceInProgressError],
  [82, FencedInstanceError],
  [68, GroupNotEmptyError],
  [30, ClusterRefusedError],
] as const)('a coordinator that answers %i says what a group here would', (code, type) => {
  const refusal = new ClusterRefusedError(code, 'X', '')
  expect(groupErrorOf(refusal, 'g')).toBeInstanceOf(type)
})

test('a client that cannot be loaded is said to be missing, and what to do', async () => {
  const load = () => Promise.reject(new Error('Cannot find package'))
  const error = await errorOf(loadKafkaClient(load), KafkaClientMissingError)
  expect(error.message).toContain('@platformatic/kafka')
  expect(error.hint).toContain('npm install @platformatic/kafka')
})
