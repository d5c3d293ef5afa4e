import { errorNameOf } from '@varve/server'
import { describeGroups } from '../../../packages/server/src/protocol/apis/describe-groups.ts'
import { leaveGroup } from '../../../packages/server/src/protocol/apis/leave-group.ts'
import { listGroups } from '../../../packages/server/src/protocol/apis/list-groups.ts'
import type { ConsumerGroupClient } from '../../../packages/server/test/consumer-group-client.ts'
import { GroupClient } from '../../../packages/server/test/groups-client.ts'
import type { WireClient } from '../../../packages/server/test/wire-client.ts'
import { makeTopics, Script, type ScriptLine } from './consumer-group-script.ts'

const all = [0, 1, 2, 3]
const left = { memberEpoch: -1, topicPartitions: null }

/** What members of both protocols in one group are answered. */
class MigrationScript extends Script {
  async join(what: string, member: GroupClient): Promise<void> {
    const answer = await member.enter()
    const { errorCode, generationId, protocolName, skipAssignment } = answer
    const leads = answer.leader === '' ? 'nobody' : answer.leader === member.memberId
    const told = [generationId, protocolName, leads, answer.members.length, skipAssignment]
    this.tell(what, errorCode === 0 ? told : errorNameOf(errorCode))
  }

  async share(what: string, member: GroupClient, parts: readonly number[] = []): Promise<void> {
    const code = await member.share(parts)
    this.tell(what, code === 0 ? member.owned.length : errorNameOf(code))
  }

  async asClassic(what: string, group: string): Promise<void> {
    const { groups } = await this.client.call(describeGroups, 6, { groups: [group] })
    const shown = groups.map(({ errorCode, errorMessage, groupState, protocolType, ...of }) => {
      const members = of.members.map((each) => [each.groupInstanceId, each.memberAssignment.length])
      const code = errorNameOf(errorCode)
      return [code, errorMessage, groupState, protocolType, of.protocolData, members]
    })
    const listed = await this.client.call(listGroups, 5, { statesFilter: [], typesFilter: [] })
    const one = listed.groups.find(({ groupId }) => groupId === group)
    this.tell(what, [shown, one?.groupType, one?.groupState, one?.protocolType])
  }
}

/** What each step of a group that changes its protocol both ways is answered. */
export async function runMigrationScript(client: WireClient): Promise<readonly ScriptLine[]> {
  await makeTopics(client)
  const script = new MigrationScript(client)
  await bounced(script)
  await wrong(script)
  await offsets(script)
  await staticMembers(script)
  await refused(script)
  return script.lines
}

/** Brings members of both kinds to rest. */
async function rest(classic: GroupClient, fresh: ConsumerGroupClient): Promise<void> {
  for (let round = 0; round < 6; round++) {
    await fresh.beat()
    if ((await classic.beat()) !== 0) {
      await classic.join()
      await classic.share()
    }
  }
}

async function bounced(script: MigrationScript): Promise<void> {
  const [old, other] = [new GroupClient(script.client, 'm'), new GroupClient(script.client, 'm')]
  await script.join('a classic member', old)
  await script.share('has all', old, all)
  await script.asClassic('as one of the classic protocol', 'm')
  await script.describe('not yet one of the other', 'm')
  const fresh = script.member('m')
  await script.beat('a new one comes', fresh)
  await script.describe('converted', 'm')
  await script.asClassic('converted, as a classic one', 'm')
  await script.code('the classic one beats', () => old.beat())
  await script.code('commits as before', () => old.commit(0, 3))
  await script.share('asks for its part', old)
  await script.join('joins with what it has', old)
  await script.share('has less', old)
  await script.code('beats', () => old.beat())
  await script.code('commits what is left', () => old.commit(old.owned[0] ?? 0, 4))
  await script.join('joins with what is left', old)
  await script.share('has the same', old)
  await script.code('beats again', () => old.beat())
  await script.beat('the new one is given the rest', fresh)
  await script.describe('in balance', 'm')
  // What it reads nobody else does, so that its part is not a matter of ids.
  other.topics = ['u1']
  await script.join('another classic one', other)
  await script.share('has its part, if any', other)
  await script.code('the first beats', () => old.beat())
  await script.join('the first joins', old)
  await script.share('the first has', old)
  await script.beat('the new one after that', fresh)
  await rest(old, fresh)
  await rest(other, fresh)
  await rest(old, fresh)
  await script.describe('three members', 'm')
  await script.code('the other leaves', () => other.leave())
  await script.code('the other beats', () => other.beat())
  await rest(old, fresh)
  await script.describe('two members', 'm')
  await script.beat('the last new one leaves', fresh, left)
  await script.describe('no more one of the new protocol', 'm')
  await script.asClassic('one of the classic protocol again', 'm')
  await script.code('the classic one beats', () => old.beat())
  await script.join('and joins', old)
  await script.share('has all again', old, all)
  await script.code('beats', () => old.beat())
  await script.asClassic('at rest', 'm')
  script.tell('the commits are there', (await old.committed(0))?.committedOffset)
  await script.code('leaves', () => old.leave())
}

async function wrong(script: MigrationScript): Promise<void> {
  const old = new GroupClient(script.client, 'w')
  await script.join('one of the classic protocol', old)
  await script.share('has all', old, all)
  const fresh = script.member('w')
  await script.beat('a new one', fresh)
  const stranger = new GroupClient(script.client, 'w')
  stranger.protocols = ['roundrobin']
  await script.join('one of another assignor', stranger)
  stranger.protocols = ['roundrobin', 'range']
  stranger.protocolType = 'connect'
  await script.join('one of another type', stranger)
  const ghost = new GroupClient(script.client, 'w')
  ghost.memberId = 'ghost'
  ghost.generation = old.generation
  await script.code('a stranger beats', () => ghost.beat())
  await script.share('a stranger syncs', ghost)
  await script.code('a stranger leaves', () => ghost.leave())
  ghost.memberId = fresh.memberId
  ghost.generation = fresh.epoch
  await script.code('the new one beats as a classic one', () => ghost.beat())
  await script.share('and syncs', ghost)
  old.generation += 1
  await script.code('of a later generation', () => old.beat())
  await script.share('likewise', old)
  old.generation -= 2
  await script.code('of an earlier generation', () => old.beat())
  const members = [{ memberId: fresh.memberId, groupInstanceId: null, reason: null }]
  await script.code('the new one is taken out as a classic one', async () => {
    const answer = await script.client.call(leaveGroup, 5, { groupId: 'w', members })
    return answer.errorCode || answer.members[0]?.errorCode
  })
  await script.describe('after that', 'w')
  old.generation += 1
  await script.code('the classic one leaves', () => old.leave())
}

async function offsets(script: MigrationScript): Promise<void> {
  const old = new GroupClient(script.client, 'n')
  await script.join('a member', old)
  await script.share('has all', old, all)
  const fresh = script.member('n')
  await script.beat('a new one', fresh)
  for (const version of [8, 9]) {
    await script.code(`commits in version ${version}`, () => old.commit(1, 5, version))
  }
  const { generation } = old
  await script.join('joins', old)
  await script.share('has less', old)
  await script.join('joins again', old)
  await script.share('has the same', old)
  const kept = old.owned[0] ?? -1
  const gone = all.find((each) => !old.owned.includes(each)) ?? -1
  const now = old.generation
  for (const [what, each] of [
    ['now', now],
    ['before', generation],
    ['too early', generation - 1],
    ['too late', now + 1],
    ['of none', -1],
  ] as const) {
    old.generation = each
    await script.code(`commits ${what}`, () => old.commit(kept, 6))
    await script.code(`commits ${what} of another’s`, () => old.commit(gone, 6))
  }
  old.generation = now
  const asked = script.member('n')
  script.tell('is told', await asked.fetch(kept, now, old.memberId))
  script.tell('is told too early', await asked.fetch(kept, now - 1, old.memberId))
  await script.beat('the new one leaves', fresh, left)
  await script.code('the last one leaves', () => old.leave())
}

async function staticMembers(script: MigrationScript): Promise<void> {
  const old = new GroupClient(script.client, 'i', 'one')
  await script.join('a static member', old)
  await script.share('has all', old, all)
  const fresh = script.member('i', 'one')
  await script.beat('takes its place', fresh)
  await script.describe('in its place', 'i')
  await script.code('the one before beats', () => old.beat())
  await script.code('the one before commits', () => old.commit(0, 1))
  const again = new GroupClient(script.client, 'i', 'one')
  await script.join('is back', again)
  await script.share('has what it had', again)
  await script.asClassic('in its place again', 'i')
  await script.beat('the other after that', fresh)
  await script.code('beats', () => again.beat())
  const two = script.member('i', 'two')
  await script.beat('another static one', two)
  const last = new GroupClient(script.client, 'i', 'one')
  await script.join('a classic one in place of a classic one', last)
  await script.code('the one before', () => again.beat())
  await script.describe('two static ones', 'i')
  await script.beat('the new one is away', two, { memberEpoch: -2, topicPartitions: null })
  await script.code('the classic one leaves', () => last.leave())
}

async function refused(script: MigrationScript): Promise<void> {
  const other = new GroupClient(script.client, 'x')
  other.protocolType = 'connect'
  await script.join('a member of another kind', other)
  await other.sync(new Map([[other.memberId, 'all']]))
  await script.beat('a new one among those', script.member('x'))
  const odd = new GroupClient(script.client, 'y')
  await script.join('one that divides in its own way', odd)
  await odd.sync(new Map([[odd.memberId, 'all']]))
  await script.beat('a new one among those', script.member('y'))
  await script.beat('with an epoch', script.member('y'), { memberEpoch: 3 })
  await script.code('the old one goes on', () => odd.beat())
}
