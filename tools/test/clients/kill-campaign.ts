import { Random } from '@varve/log/testing'
import { expect } from 'vitest'
import type { ClientProgram } from '../../src/clients/client-program.ts'
import { DrivenClient } from './driven-client.ts'
import { ServedDirectory } from './served-directory.ts'

export interface KillCampaign {
  readonly kills: number
  readonly seed: number
  /** Each sends, and has a group of two members. */
  readonly clients: Readonly<Record<string, ClientProgram>>
  /** Each copies in transactions, to a topic of its own. */
  readonly relays: Readonly<Record<string, ClientProgram>>
  /** The one that reads at the end. */
  readonly reader: ClientProgram
  readonly onKill?: (kill: number) => void
}

const loadTopic = 'load'
const relayedTopicOf = (name: string): string => `relayed-by-${name}`
const [killAfterMsMin, killAfterMsMax] = [300, 2_000]

/**
 * Kills a server again and again while several clients send, share in groups and copy in
 * transactions. None of them is helped: they have to go on by themselves. Returns how many records
 * were acknowledged.
 */
export async function killUnderLoad(campaign: KillCampaign): Promise<number> {
  const { kills, seed, clients, relays, reader: readerProgram, onKill } = campaign
  const random = new Random(seed)
  const served = await ServedDirectory.start({ isTapped: false })
  const all: DrivenClient[] = []
  const start = (program: ClientProgram, verb: string, clientId: string, rest: object) => {
    const bootstrap = served.bootstrapServers
    const client = new DrivenClient(program, { verb, bootstrap, clientId, ...rest })
    all.push(client)
    return client
  }
  try {
    const names = Object.entries(clients)
    const senders = names.map(([name, program]) =>
      start(program, 'hammer', name, { topic: loadTopic }),
    )
    const groups = names.map(([name, program]) =>
      ['a', 'b'].map((which) =>
        start(program, 'member', `${name}-${which}`, { topic: loadTopic, group: `of-${name}` }),
      ),
    )
    const relaying = Object.entries(relays).map(([name, program]) =>
      start(program, 'relay', `${name}-relay`, {
        ...{ source: loadTopic, target: relayedTopicOf(name), group: `relays-of-${name}` },
        ...{ transactionalId: name, isolation: 'read_committed' },
      }),
    )
    for (let kill = 0; kill < kills; kill++) {
      await goOn([...senders, ...relaying], groups)
      const range = killAfterMsMax - killAfterMsMin
      await new Promise((resolve) => setTimeout(resolve, killAfterMsMin + random.int(range)))
      await served.killAndServeAgain()
      onKill?.(kill + 1)
    }
    await goOn([...senders, ...relaying], groups)
    await Promise.all(senders.map((sender) => sender.stop()))
    const reader = start(readerProgram, 'member', 'reader', { topic: loadTopic, group: 'reads' })
    await expectAllOf(senders, reader)
    await expectReceived(senders, groups)
    for (const name of Object.keys(relays)) {
      const topic = relayedTopicOf(name)
      const committed = { topic, group: `sees-${name}`, isolation: 'read_committed' }
      const auditor = start(readerProgram, 'member', `auditor-${name}`, committed)
      await expectRelayedOnce(reader, auditor)
      await auditor.stop()
    }
    return senders.reduce((sum, sender) => sum + sender.count('sent'), 0)
  } finally {
    await Promise.all(all.map((client) => client.kill()))
    await served.stop()
  }
}

/** Every sender has something acknowledged, every group receives and every transaction ends. */
async function goOn(
  senders: readonly DrivenClient[],
  groups: readonly (readonly DrivenClient[])[],
): Promise<void> {
  const counted = (client: DrivenClient): number => client.count('sent') + client.count('relayed')
  const before = senders.map(counted)
  const receivedOf = (group: readonly DrivenClient[]): number =>
    group.reduce((sum, member) => sum + member.count('record'), 0)
  const received = groups.map(receivedOf)
  await Promise.all([
    ...senders.map((sender, index) =>
      sender.until('going on', () => counted(sender) > (before[index] ?? 0)),
    ),
    ...groups.map((group, index) =>
      group[0]?.until('its group going on', () => receivedOf(group) > (received[index] ?? 0)),
    ),
  ])
}

/** What was acknowledged is where it was said to be. */
async function expectAllOf(senders: readonly DrivenClient[], reader: DrivenClient): Promise<void> {
  const acknowledged = senders.flatMap(({ events }) =>
    events.filter(({ event }) => event === 'sent'),
  )
  const places = new Map<string, string>()
  let looked = 0
  const isThere = (): boolean => {
    for (; looked < reader.events.length; looked++) {
      const { event, value = '', partition, offset } = reader.events[looked] ?? { event: '' }
      if (event === 'record') places.set(`${partition}:${offset}`, value)
    }
    return acknowledged.every((sent) => places.has(`${sent.partition}:${sent.offset}`))
  }
  await reader.until('all that was acknowledged', isThere)
  const wrong = acknowledged.filter(
    ({ value, partition, offset }) => places.get(`${partition}:${offset}`) !== value,
  )
  expect(wrong).toEqual([])
}

/** A group that had jumped ahead would never receive what it has left out. */
async function expectReceived(
  senders: readonly DrivenClient[],
  groups: readonly (readonly DrivenClient[])[],
): Promise<void> {
  const acknowledged = senders.flatMap(({ events }) =>
    events.flatMap(({ event, value = '' }) => (event === 'sent' ? [value] : [])),
  )
  for (const group of groups) {
    const isAll = (): boolean => {
      const received = new Set(group.flatMap(({ values }) => values))
      return acknowledged.every((value) => received.has(value))
    }
    await group[0]?.until('all that was acknowledged', isAll, 500)
    await Promise.all(group.map((member) => member.stop()))
  }
}

/** Each record's place was copied in one committed transaction. */
async function expectRelayedOnce(reader: DrivenClient, auditor: DrivenClient): Promise<void> {
  const places = reader.events.flatMap(({ event, partition, offset }) =>
    event === 'record' ? [`${partition}:${offset}`] : [],
  )
  await auditor.until('every place', () => auditor.count('record') >= places.length, 100)
  const copied = auditor.values
  expect(new Set(copied).size).toBe(copied.length)
  expect(new Set(copied)).toEqual(new Set(places))
}
