import { setTimeout as wait } from 'node:timers/promises'
import { errorNameOf } from '@varve/server'
import { consumerGroupDescribe } from '../../../packages/server/src/protocol/apis/consumer-group-describe.ts'
import { createTopics } from '../../../packages/server/src/protocol/apis/create-topics.ts'
import { deleteGroups } from '../../../packages/server/src/protocol/apis/delete-groups.ts'
import { describeGroups } from '../../../packages/server/src/protocol/apis/describe-groups.ts'
import { findCoordinator } from '../../../packages/server/src/protocol/apis/find-coordinator.ts'
import { listGroups } from '../../../packages/server/src/protocol/apis/list-groups.ts'
import { ConsumerGroupClient } from '../../../packages/server/test/consumer-group-client.ts'
import { GroupClient } from '../../../packages/server/test/groups-client.ts'
import type { WireClient } from '../../../packages/server/test/wire-client.ts'

/** What was done, and what was answered. */
export type ScriptLine = string

type Beat = Parameters<ConsumerGroupClient['beat']>[0]

const tries = 100
const pauseMs = 100

/** How many partitions of each topic, in order: topics come in that of their ids. */
function sizesOf(topics: readonly { readonly partitions: readonly number[] }[]): number[] {
  return topics.map(({ partitions }) => partitions.length).sort()
}

/** Members of groups of the consumer protocol, right and wrong. */
export class Script {
  readonly lines: ScriptLine[] = []
  readonly client: WireClient
  #members = 0

  constructor(client: WireClient) {
    this.client = client
  }

  /** Ids of members are in the order in which they come: ranges go by that. */
  member(group = 'g', instance: string | null = null): ConsumerGroupClient {
    const memberId = `member-${String(++this.#members).padStart(3, '0')}`
    return new ConsumerGroupClient(this.client, group, instance, memberId)
  }

  /** A heartbeat, and all that is answered but ids. */
  async beat(what: string, member: ConsumerGroupClient, said: Beat = {}, version = 1) {
    const answer = await member.beat(said, version)
    const { errorCode, memberEpoch, heartbeatIntervalMs, assignment } = answer
    const parts = assignment === null ? null : sizesOf(assignment.topicPartitions)
    const told = [errorNameOf(errorCode), memberEpoch, heartbeatIntervalMs, JSON.stringify(parts)]
    this.lines.push(`${what}: ${told.join(' ')}`)
  }

  async code(what: string, ask: () => Promise<number | undefined>): Promise<void> {
    this.lines.push(`${what}: ${errorNameOf((await ask()) ?? -1)}`)
  }

  tell(what: string, told: unknown): void {
    this.lines.push(`${what}: ${JSON.stringify(told)}`)
  }

  async describe(what: string, group: string): Promise<void> {
    const { groups } = await this.client.call(consumerGroupDescribe, 1, { groupIds: [group] })
    const [found] = groups
    const { groupState, groupEpoch, assignmentEpoch, assignorName, members = [] } = found ?? {}
    const shown = members.map(({ memberEpoch, subscribedTopicNames, memberType, ...of }) => {
      const parts = sizesOf(of.assignment.topicPartitions)
      const { subscribedTopicRegex, instanceId } = of
      return {
        memberEpoch,
        subscribedTopicNames,
        subscribedTopicRegex,
        instanceId,
        memberType,
        parts,
      }
    })
    const order = shown.map((each) => JSON.stringify(each)).sort()
    const code = errorNameOf(found?.errorCode ?? -1)
    this.tell(what, [code, groupState, groupEpoch, assignmentEpoch, assignorName, order])
  }
}

/** What each step of a group's life is answered. Topics `t` and `u` are made, of 4 partitions. */
export async function runConsumerGroupScript(client: WireClient): Promise<readonly ScriptLine[]> {
  await makeTopics(client)
  const script = new Script(client)
  await wrongRequests(script)
  await sharing(script)
  await offsets(script)
  await staticMembers(script)
  await changingProtocol(script)
  await expressions(script)
  return script.lines
}

/** Makes the topics, and waits for whoever leads groups. */
export async function makeTopics(client: WireClient): Promise<void> {
  const names = ['t', 'u1', 'u2']
  await client.call(createTopics, 5, {
    topics: names.map((name) => {
      return { name, numPartitions: 4, replicationFactor: 1, assignments: [], configs: [] }
    }),
    timeoutMs: 30_000,
  })
  await ready(client)
}

async function ready(client: WireClient): Promise<void> {
  for (let each = 0; each < tries; each++) {
    const asked = { key: 'x', keyType: 0, coordinatorKeys: [] }
    const { errorCode } = await client.call(findCoordinator, 2, asked)
    const probe = await new ConsumerGroupClient(client, 'probe').beat({ memberEpoch: 7 })
    if (errorCode === 0 && errorNameOf(probe.errorCode) === 'GROUP_ID_NOT_FOUND') return
    await wait(pauseMs)
  }
  throw new Error('the coordinator is not ready')
}

async function wrongRequests(script: Script): Promise<void> {
  const wrong: readonly NonNullable<Beat>[] = [
    { memberId: '' },
    { groupId: '' },
    { instanceId: '' },
    { rackId: '' },
    { rebalanceTimeoutMs: -1 },
    { topicPartitions: null },
    { subscribedTopicNames: null },
    { memberEpoch: -3 },
    { memberEpoch: -2 },
    { memberEpoch: -1 },
    { memberEpoch: 5 },
    { serverAssignor: 'own' },
    { subscribedTopicRegex: '(' },
    { subscribedTopicRegex: '(?=a)' },
    { subscribedTopicRegex: 'a{1001}' },
  ]
  for (const said of wrong) await script.beat(JSON.stringify(said), script.member('wrong'), said)
  await script.describe('what is not there', 'wrong')
}

async function sharing(script: Script): Promise<void> {
  const [a, b] = [script.member(), script.member()]
  await script.beat('a joins', a)
  await script.beat('a again', a)
  await script.describe('one member', 'g')
  await script.beat('b joins', b)
  await script.describe('two members', 'g')
  for (let round = 0; round < 3; round++) {
    await script.beat(`a, round ${round}`, a)
    await script.beat(`b, round ${round}`, b)
  }
  await script.describe('two members in balance', 'g')
  await script.beat('a comes with an older epoch', a, { memberEpoch: a.epoch - 1 })
  await script.beat('a comes with a newer one', a, { memberEpoch: a.epoch + 1 })
  await script.beat('a wishes for ranges', a, { serverAssignor: 'range' })
  await script.beat('a reads more', a, { subscribedTopicNames: ['t', 'u1'] })
  await script.beat('b after that', b)
  await script.describe('members that read different topics', 'g')
  await script.beat('a reads what is not there', a, { subscribedTopicNames: ['t', 'nowhere'] })
  await script.beat('a after that', a)
  await script.beat('a reads nothing', a, { subscribedTopicNames: [] })
  await script.beat('a has given up', a)
  await script.beat('b gets the rest', b)
  await script.beat('b leaves', b, { memberEpoch: -1, topicPartitions: null })
  await script.beat('b after that', b)
  const { groups } = await script.client.call(listGroups, 5, {
    statesFilter: [],
    typesFilter: ['consumer'],
  })
  script.tell(
    'listed',
    groups.map((each) => ({ ...each })),
  )
  const described = await script.client.call(describeGroups, 6, { groups: ['g'] })
  script.tell(
    'as a classic one',
    described.groups.map(({ errorCode, groupState }) => [errorCode, groupState]),
  )
  const remove = async () =>
    (await script.client.call(deleteGroups, 2, { groupsNames: ['g'] })).results[0]?.errorCode
  await script.code('deleted with members', remove)
  await script.beat('a leaves', a, { memberEpoch: -1, topicPartitions: null })
  await script.describe('empty', 'g')
  await script.code('deleted', remove)
}

async function offsets(script: Script): Promise<void> {
  const a = script.member('o')
  await script.code('a commit to no group with an epoch', () => a.commit(0, 1, 3))
  await script.code('a commit to no group without', () => a.commit(0, 1, -1))
  await script.beat('joins', a)
  await script.code('a commit', () => a.commit(0, 5))
  await script.code('with a newer epoch', () => a.commit(0, 6, a.epoch + 1))
  await script.code('with an older epoch', () => a.commit(0, 6, a.epoch - 1))
  await script.code('with none', () => a.commit(0, 6, -1))
  await script.code('in an older version', () => a.commit(0, 6, a.epoch, 8))
  script.tell('told', await a.fetch(0))
  script.tell('told with a newer epoch', await a.fetch(0, a.epoch + 1))
  script.tell('told to a stranger', await a.fetch(0, a.epoch, 'x'))
  const { epoch } = a
  await script.beat('reads more', a, { subscribedTopicNames: ['t', 'u1'] })
  await script.code('with the epoch before', () => a.commit(0, 7, epoch))
  await script.code('with the one before that', () => a.commit(0, 7, epoch - 1))
  await script.beat('leaves', a, { memberEpoch: -1, topicPartitions: null })
  await script.code('a commit without members', () => a.commit(0, 8, -1))
}

async function staticMembers(script: Script): Promise<void> {
  const a = script.member('s', 'one')
  await script.beat('a static member joins', a)
  await script.beat('another of its name', script.member('s', 'one'))
  await script.beat('a stranger of its name', script.member('s', 'one'), { memberEpoch: 2 })
  await script.beat('it leaves for a while', a, { memberEpoch: -2, topicPartitions: null })
  await script.describe('without it', 's')
  const again = script.member('s', 'one')
  await script.beat('it is back', again)
  await script.describe('with it', 's')
  await script.beat('the one before', a, { memberEpoch: 2 })
  await script.beat('it leaves', again, { memberEpoch: -1, topicPartitions: null })
}

async function changingProtocol(script: Script): Promise<void> {
  const classic = new GroupClient(script.client, 'c')
  await script.code('a classic member joins', async () => (await classic.enter()).errorCode)
  await classic.syncAlone()
  await script.beat('a new one among classic members', script.member('c'))
  await script.code('the classic one beats', () => classic.beat())
  await script.code('the classic one leaves', () => classic.leave())
  const member = script.member('c')
  await script.beat('a new one after that', member)
  const late = new GroupClient(script.client, 'c')
  await script.code('a classic one among new ones', async () => (await late.enter()).errorCode)
  await script.code('it beats', () => late.beat())
  await script.beat('the new one leaves', member, { memberEpoch: -1, topicPartitions: null })
  const last = new GroupClient(script.client, 'c')
  await script.code('a classic one after that', async () => (await last.enter()).errorCode)
  script.tell('its generation', last.generation)
}

async function expressions(script: Script): Promise<void> {
  const a = script.member('r')
  const said = { subscribedTopicNames: null, subscribedTopicRegex: 'u.*' }
  await script.beat('joins by an expression', a, said)
  for (let each = 0; each < tries && a.owned.length < 2; each++) {
    await a.beat()
    await wait(20)
  }
  script.tell(
    'has topics',
    a.owned.map(({ partitions }) => partitions.length),
  )
  await script.describe('a group of an expression', 'r')
  await script.beat('reads names instead', a, {
    ...{ subscribedTopicNames: ['t'], subscribedTopicRegex: '' },
  })
  await script.beat('has given up', a)
  await script.describe('a group of names', 'r')
}
