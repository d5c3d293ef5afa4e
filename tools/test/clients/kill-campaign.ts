import { openVarve } from '@varve/broker'
import { Random } from '@varve/log/testing'
import { expect } from 'vitest'
import type { ClientProgram } from '../../src/clients/client-program.ts'
import { CommitLog } from './commit-log.ts'
import { DealtGroup } from './dealt-group.ts'
import { DrivenClient } from './driven-client.ts'
import { ServedDirectory } from './served-directory.ts'
import { SharedGroup } from './shared-group.ts'

export interface KillCampaign {
  readonly kills: number
  readonly seed: number
  /** Each sends, and has a group of two members. */
  readonly clients: Readonly<Record<string, ClientProgram>>
  /** They share a group in which the server divides (KIP-848). */
  readonly sharers: readonly ClientProgram[]
  /** Each copies in transactions, to a topic of its own. */
  readonly relays: Readonly<Record<string, Relay>>
  /** The one that reads at the end. */
  readonly reader: ClientProgram
  readonly onKill?: (kill: number) => void
}

export interface Relay {
  readonly program: ClientProgram
  /** Of its group. */
  readonly protocol: 'classic' | 'consumer'
}

const loadTopic = 'load'
const partitions = 4
const relayedTopicOf = (name: string): string => `relayed-by-${name}`
const [killAfterMsMin, killAfterMsMax] = [300, 2_000]
/** As short as Kafka allows by default for classic groups: who died is not waited for for long. */
const sessionTimeoutMs = '6000'
const settings = {
  'group.consumer.min.session.timeout.ms': sessionTimeoutMs,
  'group.consumer.session.timeout.ms': sessionTimeoutMs,
}

interface Load {
  readonly senders: readonly DrivenClient[]
  readonly relaying: readonly DrivenClient[]
  readonly classic: readonly SharedGroup[]
  readonly dealt: DealtGroup
}

type Start = (program: ClientProgram, verb: string, clientId: string, how: object) => DrivenClient

/**
 * Kills a server again and again while several clients send, share in groups and copy in
 * transactions. None of them is helped: they have to go on by themselves. Returns how many records
 * were acknowledged.
 */
export async function killUnderLoad(campaign: KillCampaign): Promise<number> {
  const { kills, seed, onKill } = campaign
  const random = new Random(seed)
  const served = await ServedDirectory.start({ isTapped: false, settings })
  const all: DrivenClient[] = []
  const start: Start = (program, verb, clientId, how) => {
    const bootstrap = served.bootstrapServers
    const client = new DrivenClient(program, { verb, bootstrap, clientId, ...how })
    all.push(client)
    return client
  }
  const varve = await openVarve(`kafka://${served.bootstrapServers}`)
  try {
    const load = startLoad(campaign, start)
    await goOn(load)
    await using log = await CommitLog.open(served.directory)
    const administration = await varve.groups()
    const expectCommitted = async (): Promise<void> => {
      for (const group of groupsOf(load)) await group.expectCommitted(administration, log)
    }
    for (let kill = 0; kill < kills; kill++) {
      load.dealt.change(random)
      const range = killAfterMsMax - killAfterMsMin
      await new Promise((resolve) => setTimeout(resolve, killAfterMsMin + random.int(range)))
      await served.killAndServeAgain()
      await expectCommitted()
      await goOn(load)
      onKill?.(kill + 1)
    }
    return await expectAll(campaign, load, { start, expectCommitted })
  } finally {
    await Promise.all(all.map((client) => client.kill()))
    await varve.close()
    await served.stop()
  }
}

function startLoad({ clients, sharers, relays }: KillCampaign, start: Start): Load {
  const topic = loadTopic
  const names = Object.entries(clients)
  const senders = names.map(([name, program]) => start(program, 'hammer', name, { topic }))
  const classic = names.map(([name, program]) => {
    const group = `of-${name}`
    const members = ['a', 'b'].map((which) =>
      start(program, 'member', `${name}-${which}`, { topic, group }),
    )
    return new SharedGroup(group, members)
  })
  const group = 'dealt'
  const dealt = new DealtGroup(group, sharers, (program, clientId) =>
    start(program, 'member', clientId, { topic, group, protocol: 'consumer' }),
  )
  const relaying = Object.entries(relays).map(([name, { program, protocol }]) =>
    start(program, 'relay', `${name}-relay`, {
      ...{ source: topic, target: relayedTopicOf(name), group: `relays-of-${name}` },
      ...{ transactionalId: name, isolation: 'read_committed' },
      ...(protocol === 'consumer' && { protocol }),
    }),
  )
  return { senders, relaying, classic, dealt }
}

function groupsOf({ classic, dealt }: Load): readonly SharedGroup[] {
  return [...classic, dealt]
}

/** Lets all come to an end and looks at what they have. Returns how much was acknowledged. */
async function expectAll(
  { relays, reader: program }: KillCampaign,
  load: Load,
  {
    start,
    expectCommitted,
  }: { readonly start: Start; readonly expectCommitted: () => Promise<void> },
): Promise<number> {
  const { senders, classic, dealt } = load
  await dealt.leftAlone()
  await dealt.untilDealt(partitions)
  await Promise.all(senders.map((sender) => sender.stop()))
  const reader = start(program, 'member', 'reader', { topic: loadTopic, group: 'reads' })
  await expectAllOf(senders, reader)
  await expectReceived(senders, groupsOf(load))
  await Promise.all(classic.flatMap(({ members }) => members.map((member) => member.stop())))
  await dealt.stop()
  await expectCommitted()
  for (const name of Object.keys(relays)) {
    const topic = relayedTopicOf(name)
    const committed = { topic, group: `sees-${name}`, isolation: 'read_committed' }
    const auditor = start(program, 'member', `auditor-${name}`, committed)
    await expectRelayedOnce(reader, auditor)
    await auditor.stop()
  }
  return senders.reduce((sum, sender) => sum + sender.count('sent'), 0)
}

/** Every sender has something acknowledged, every group receives and every transaction ends. */
async function goOn(load: Load): Promise<void> {
  const { senders, relaying } = load
  const groups = groupsOf(load)
  const counted = (client: DrivenClient): number => client.count('sent') + client.count('relayed')
  const busy = [...senders, ...relaying]
  const before = busy.map(counted)
  const received = groups.map((group) => group.received)
  await Promise.all([
    ...busy.map((client, index) =>
      client.until('going on', () => counted(client) > (before[index] ?? 0)),
    ),
    ...groups.map((group, index) =>
      group.members[0]?.until('its group going on', () => group.received > (received[index] ?? 0)),
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
  groups: readonly SharedGroup[],
): Promise<void> {
  const acknowledged = senders.flatMap(({ events }) =>
    events.flatMap(({ event, value = '' }) => (event === 'sent' ? [value] : [])),
  )
  for (const group of groups) {
    const isAll = (): boolean => group.hasReceived(acknowledged)
    await group.members[0]?.until('all that was acknowledged', isAll, 500)
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
