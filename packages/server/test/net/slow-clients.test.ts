import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { resolveConnectionLimits } from '../../src/base/connection-limits.ts'
import { ClientPace } from '../../src/net/client-pace.ts'
import { SlowClients } from '../../src/net/slow-clients.ts'

const limits = resolveConnectionLimits({
  ...{ slowMsMax: 10_000, bytesPerSecondMin: 1000, loginMsMax: 5_000 },
  ...{ partialRequestBytesMax: 10_000, unreadAnswerBytesMax: 10_000 },
})

function make() {
  const clock = new ManualClock()
  const slowClients = new SlowClients(limits, clock)
  const client = () => {
    const reasons: string[] = []
    const giveUp = (reason: string): void => void reasons.push(reason)
    return { reasons, pace: new ClientPace({ slowClients, limits, clock, giveUp }) }
  }
  return { clock, slowClients, client }
}

test('a request that is begun and not ended is waited for as long as it grows', () => {
  const { clock, client } = make()
  const [slow, steady, done] = [client(), client(), client()]
  for (const { pace } of [slow, steady, done]) pace.received(10, 100, true)
  done.pace.received(10, null, false)
  for (let second = 0; second < 20; second++) {
    clock.advance(1000)
    steady.pace.received(1000, 100, false)
  }
  expect(slow.reasons).toEqual(['its client sends too slowly'])
  expect(steady.reasons).toEqual([])
  expect(done.reasons).toEqual([])
})

test('a client that is not read from is not slow', () => {
  const { clock, client } = make()
  const { pace, reasons } = client()
  pace.received(10, 100, true)
  pace.hold(true)
  clock.advance(60_000)
  pace.hold(false)
  clock.advance(9_000)
  expect(reasons).toEqual([])
  clock.advance(3_000)
  expect(reasons).toEqual(['its client sends too slowly'])
})

test('answers that nobody reads end the connection, those that are read slowly do not', () => {
  const { clock, client } = make()
  const [deaf, slow] = [client(), client()]
  deaf.pace.wrote(5000, 5000)
  slow.pace.wrote(1000, 1000)
  for (let second = 1; second < 30; second++) {
    clock.advance(1000)
    slow.pace.wrote(1000, 1000 * second)
  }
  expect(deaf.reasons).toEqual(['its client does not read its answers'])
  expect(slow.reasons).toEqual([])
})

test('a client has so much time to log in', () => {
  const { clock, client } = make()
  const [stranger, known] = [client(), client()]
  stranger.pace.awaitLogin()
  known.pace.awaitLogin()
  known.pace.loggedIn()
  clock.advance(7_000)
  expect(stranger.reasons).toEqual(['its client does not log in'])
  expect(known.reasons).toEqual([])
})

test('the oldest of the unfinished requests is given up when they take too much memory', () => {
  const { clock, slowClients, client } = make()
  const clients = Array.from({ length: 5 }, () => {
    clock.advance(10)
    const one = client()
    one.pace.received(10, 2000, true)
    return one
  })
  expect(slowClients.partialBytes).toBe(10_000)
  clients[4]?.pace.received(10, 3000, false)
  expect(clients.map(({ reasons }) => reasons.length)).toEqual([1, 0, 0, 0, 0])
  expect(slowClients.partialBytes).toBe(9_000)
})

test('so is the oldest of the answers that nobody reads', () => {
  const { clock, slowClients, client } = make()
  const clients = Array.from({ length: 3 }, () => {
    clock.advance(10)
    const one = client()
    one.pace.wrote(4000, 4000)
    return one
  })
  expect(clients.map(({ reasons }) => reasons.length)).toEqual([1, 0, 0])
  expect(slowClients.unreadBytes).toBe(8_000)
  for (const { pace } of clients) pace.closed()
  expect(slowClients.unreadBytes).toBe(0)
})
