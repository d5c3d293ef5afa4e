import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { campaignShare, scaled } from '../../../packages/record/test/campaign-scale.ts'
import type { ClientProgram } from '../../src/clients/client-program.ts'
import { type ClientName, triedClient } from '../../src/clients/tried-clients.ts'
import { killUnderLoad, type Relay } from './kill-campaign.ts'

const allKills = 100
/** Each takes seconds of all processors, so that a part of the campaigns has fewer still. */
const kills = campaignShare < 1 ? Math.ceil(scaled(allKills) / 4) : scaled(allKills)
/** Restarting, and clients that come back at a pace of their own. */
const perKillMs = 20_000
const fetchingMs = 10 * 60_000
/** The last one reads at the end; all but kafkajs copy in transactions, and know KIP-848. */
const names = ['confluent-python', 'kafkajs', 'java-4'] as const

test(
  'killed under load, a server loses nothing that it has acknowledged',
  async () => {
    const seed = seedFromEnvironment('kills of a server')
    const clients: Partial<Record<ClientName, ClientProgram>> = {}
    for (const name of names) {
      const found = await triedClient(name)
      if (found.available) {
        clients[name] = found.program
        continue
      }
      if (process.env['VARVE_REQUIRE_CLIENTS'] === '1') throw new Error(found.reason)
      process.stdout.write(`${name} is not there: ${found.reason}\n`)
    }
    const { 'java-4': reader, ...senders } = clients
    if (reader === undefined || Object.keys(senders).length === 0) return
    const { kafkajs: _, ...sharers } = clients
    const drawn = new Random(seed).next()
    const onKill = (kill: number): void => {
      process.stdout.write(`killed ${kill} of ${kills} times\n`)
    }
    const acknowledged = await killUnderLoad({
      kills,
      seed: drawn,
      clients: senders,
      sharers: Object.values(sharers),
      relays: relaysOf(sharers),
      reader,
      onKill,
    })
    process.stdout.write(
      `${kills} kills, ${acknowledged} records acknowledged, VARVE_SEED=${seed}\n`,
    )
    expect(acknowledged).toBeGreaterThan(kills)
  },
  fetchingMs + kills * perKillMs,
)

/** Each in a group of either protocol. */
function relaysOf(
  programs: Readonly<Partial<Record<ClientName, ClientProgram>>>,
): Readonly<Record<string, Relay>> {
  const relays: Record<string, Relay> = {}
  for (const [name, program] of Object.entries(programs)) {
    for (const protocol of ['classic', 'consumer'] as const) {
      relays[`${name}-${protocol}`] = { program, protocol }
    }
  }
  return relays
}
