import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import type { ClientName } from '../../src/clients/tried-clients.ts'
import { ClientTrial } from './client-trial.ts'
import { keepRequests } from './kept-requests.ts'
import { bounceThroughProtocols, shareThroughRebalances, valuesTo } from './sharing.ts'

export interface ClientAbilities {
  readonly name: ClientName
  readonly codecs: readonly string[]
  /** Ways of sharing partitions out, each tried by a group. */
  readonly strategies: readonly string[]
  /** Whether it knows groups in which the server divides (KIP-848). */
  readonly hasConsumerProtocol?: boolean
  readonly hasTransactions: boolean
  /** What its admin client says of a topic and a group, step by step; absent: it has no call. */
  readonly adminSteps: readonly string[]
}

/** What every admin client has to see, whatever way it has to ask. */
const expectedSteps: Readonly<Record<string, unknown>> = {
  topicIsListed: true,
  partitions: 3,
  retention: '86400000',
  alteredRetention: '3600000',
  morePartitions: 5,
  groupIsListed: true,
  groupState: 'Empty',
  committed: 60,
  deletedBefore: 1,
  groupIsGone: true,
  topicIsGone: true,
}

export const allAdminSteps: readonly string[] = Object.keys(expectedSteps)

const perCodec = 200

/** Tries a client behind the common verbs with all that it can do, on a server of its own. */
export function describeClient(abilities: ClientAbilities): void {
  const { name } = abilities
  const availability = inject('clients')[name]
  if (!availability.available) {
    describe.skip(`${name} (skipped: ${availability.reason})`, () => declareTests(abilities))
    return
  }
  describe(`${name} ${availability.program.version}`, () => declareTests(abilities))
}

function declareTests(abilities: ClientAbilities): void {
  const { name, codecs, hasTransactions } = abilities
  const trial = new ClientTrial(name)
  beforeAll(() => trial.start())
  afterEach(() => trial.endClients())
  afterAll(async () => {
    keepRequests(name, trial.requests)
    await trial.stop()
  })

  test(`what is sent with codecs ${codecs.join(', ')} comes back in order`, async () => {
    const topic = trial.nameOf('codecs')
    const sends = codecs.map((codec, index) =>
      trial.run('produce', { topic, codec, first: index * perCodec, count: perCodec }),
    )
    await Promise.all(sends)
    const sent = perCodec * codecs.length
    const reader = trial.open('member', { topic, group: trial.nameOf('reads') })
    await reader.until('all records', () => reader.values.length >= sent)
    await reader.stop()
    expect([...reader.values].sort()).toEqual(valuesTo(sent))
    for (const partition of [0, 1, 2, 3]) {
      const offsets = reader.events
        .filter((event) => event.event === 'record' && event.partition === partition)
        .map(({ offset }) => offset)
      expect(offsets).toEqual(offsets.map((_, index) => index))
    }
  })

  declareSharing(trial, abilities)

  test.skipIf(!hasTransactions)('transactions are all or nothing, with offsets', async () => {
    const [source, target] = [trial.nameOf('source'), trial.nameOf('target')]
    await trial.run('produce', { topic: source, count: 60 })
    const group = trial.nameOf('transacts')
    const shared = { source, target, group, transactionalId: trial.nameOf('transaction') }
    await trial.run('transact', { ...shared, count: 60 })
    const committed = { topic: target, group: trial.nameOf('sees'), isolation: 'read_committed' }
    const reader = trial.open('member', committed)
    await reader.until('all copies', () => reader.values.length >= 60)
    await reader.stop()
    const copies = valuesTo(60).map((value) => `copy-of-${value}`)
    expect([...reader.values].sort()).toEqual(copies)

    const resuming = trial.open('member', { topic: source, group })
    await resuming.until('its assignment', () => resuming.assigned.length === 4)
    await trial.run('produce', { topic: source, first: 60, count: 10 })
    await resuming.until('what is new', () => resuming.values.length >= 10)
    await resuming.stop()
    expect([...resuming.values].sort()).toEqual(valuesTo(70, 60))
  })

  test('its admin client makes, changes and takes away topics and groups', async () => {
    const [source, group] = [trial.nameOf('admin-source'), trial.nameOf('admin-group')]
    await trial.run('produce', { topic: source, count: 60 })
    const member = trial.open('member', { topic: source, group })
    await member.until('all records', () => member.values.length >= 60)
    await member.stop()
    const admin = await trial.run('admin', { topic: trial.nameOf('admin'), source, group })
    const steps = admin.events.filter(({ event }) => event === 'step')
    const found = Object.fromEntries(steps.map((step) => [step.name, step.result]))
    const expected = abilities.adminSteps.map((step) => [step, expectedSteps[step]])
    expect(found).toEqual(Object.fromEntries(expected))
  })
}

function declareSharing(trial: ClientTrial, abilities: ClientAbilities): void {
  const { strategies, hasConsumerProtocol = false } = abilities
  test.each(strategies)('a group shares by %s through joins and leaves, and resumes', (strategy) =>
    shareThroughRebalances(trial, strategy),
  )

  test.skipIf(!hasConsumerProtocol)(
    'a group of the consumer protocol shares through joins and leaves, and resumes',
    () => shareThroughRebalances(trial, 'consumer', { protocol: 'consumer' }),
  )

  test.skipIf(!hasConsumerProtocol).each(strategies)(
    'a group that shares by %s is restarted by the consumer protocol, and back, one by one',
    (strategy) => bounceThroughProtocols(trial, strategy),
  )
}
