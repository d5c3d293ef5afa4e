import { ManualClock } from '@varve/log/testing'
import { beforeAll, expect, test } from 'vitest'
import { noPartitions } from '../../../src/groups/consumer/assigned-partitions.ts'
import {
  checkConsumerGroupCommit,
  checkConsumerGroupFetch,
} from '../../../src/groups/consumer/consumer-group-commit.ts'
import { StaleMemberEpochError } from '../../../src/groups/consumer/consumer-group-errors.ts'
import { expressionsDue } from '../../../src/groups/consumer/consumer-group-expressions.ts'
import { newConsumerGroupMember } from '../../../src/groups/consumer/consumer-group-member.ts'
import { ConsumerGroupSessions } from '../../../src/groups/consumer/consumer-group-sessions.ts'
import { assignorOf } from '../../../src/groups/consumer/consumer-group-target.ts'
import { ExpressionChange } from '../../../src/groups/consumer/expression-change.ts'
import { GroupTurns } from '../../../src/groups/consumer/group-turns.ts'
import { reconciled } from '../../../src/groups/consumer/member-reconciliation.ts'
import {
  checkExpression,
  loadExpressions,
  topicMatcher,
} from '../../../src/groups/consumer/topic-expression.ts'
import {
  describedConsumers,
  describedGroup,
  groupsInShort,
  readTopicsOf,
} from '../../../src/groups/described-group.ts'
import {
  GroupNotEmptyError,
  GroupNotFoundError,
  IllegalGenerationError,
  UnknownMemberError,
} from '../../../src/groups/group-errors.ts'
import { emptyGroup } from '../../../src/groups/group-view.ts'
import { MadePartitions } from '../../../src/groups/made-partitions.ts'
import { measuredGroups } from '../../../src/groups/measured-groups.ts'
import { BenchMember, ConsumerGroupBench, topicIdOf } from './consumer-group-bench.ts'

beforeAll(loadExpressions)

const t0 = { topic: 't', partition: 0 }

function groupOf(...members: readonly string[]): ConsumerGroupBench {
  const bench = new ConsumerGroupBench()
  bench.topics.set('t', 2)
  for (const memberId of members) new BenchMember(bench, memberId).beat()
  return bench
}

test('a member commits in its epoch, or in an older one what it has had since then', () => {
  const { state, topics } = groupOf('a')
  const check = (memberId: string, generation: number, isTransactional = false): void => {
    const identity = { memberId, groupInstanceId: null, generation }
    checkConsumerGroupCommit(state, topics, {
      ...{ group: 'g', identity, places: [t0], isTransactional },
    })
  }
  check('a', 2)
  expect(() => check('a', 3)).toThrow(StaleMemberEpochError)
  expect(() => check('a', 1)).toThrow(StaleMemberEpochError)
  expect(() => check('a', 1, true)).toThrow(IllegalGenerationError)
  expect(() => check('b', 2)).toThrow(UnknownMemberError)
  expect(() => check('', -1)).toThrow(UnknownMemberError)
  check('', -1, true)
  const nobody = groupOf()
  checkConsumerGroupCommit(nobody.state, nobody.topics, {
    identity: { memberId: '', groupInstanceId: null, generation: -1 },
    ...{ group: 'g', places: [t0], isTransactional: false },
  })
})

test('who says who it is is told offsets in its epoch only', () => {
  const { state } = groupOf('a')
  checkConsumerGroupFetch(state, 'g', null, -1)
  checkConsumerGroupFetch(state, 'g', 'a', 2)
  expect(() => checkConsumerGroupFetch(state, 'g', 'a', 1)).toThrow(StaleMemberEpochError)
  expect(() => checkConsumerGroupFetch(state, 'g', 'b', 2)).toThrow(UnknownMemberError)
})

test('silence and kept partitions have their times, which end with the member', () => {
  const clock = new ManualClock()
  const sessions = new ConsumerGroupSessions(clock)
  const ended: string[] = []
  const keeping = (memberId: string, memberEpoch: number, rebalanceTimeoutMs: number) => {
    const revoking = new Map([['t', new Map([[0, memberEpoch]])]])
    const member = {
      ...newConsumerGroupMember(memberId),
      memberEpoch,
      rebalanceTimeoutMs,
      revoking,
    }
    sessions.revoking(member, () => ended.push(`${memberId} keeps`))
  }
  sessions.heard('a', 100, () => ended.push('a is silent'))
  keeping('b', 2, 100)
  clock.advance(60)
  sessions.heard('a', 100, () => ended.push('a is silent'))
  // Asked again, it is not given longer.
  keeping('b', 2, 100)
  clock.advance(60)
  expect(ended).toEqual(['b keeps'])
  clock.advance(60)
  expect(ended).toEqual(['b keeps', 'a is silent'])
  sessions.heard('c', 10, () => ended.push('c is silent'))
  keeping('c', 1, 10)
  sessions.close()
  clock.advance(100)
  expect(ended).toHaveLength(2)
})

test('a timer that has fired counts only until the member is heard of', () => {
  const clock = new ManualClock()
  const sessions = new ConsumerGroupSessions(clock)
  const fired: { isCurrent: () => boolean }[] = []
  sessions.heard('a', 100, (each) => fired.push(each))
  clock.advance(100)
  expect(fired.map(({ isCurrent }) => isCurrent())).toEqual([true])
  sessions.heard('a', 100, (each) => fired.push(each))
  expect(fired.map(({ isCurrent }) => isCurrent())).toEqual([false])
})

test('other partitions to be given up have a time of their own', () => {
  const clock = new ManualClock()
  const sessions = new ConsumerGroupSessions(clock)
  let kept = 0
  const member = { ...newConsumerGroupMember('a'), memberEpoch: 2, rebalanceTimeoutMs: 100 }
  const keeping = (...partitions: number[]) => {
    const revoking = new Map([['t', new Map(partitions.map((each) => [each, 2] as const))]])
    sessions.revoking({ ...member, revoking }, () => kept++)
  }
  keeping(0)
  clock.advance(60)
  keeping(0, 1)
  clock.advance(60)
  expect(kept).toBe(0)
  clock.advance(40)
  expect(kept).toBe(1)
})

test('a member has one instance id at a time', () => {
  const { state } = groupOf('a')
  const named = (instanceId: string | null) =>
    state.apply({
      ...{ kind: 'member', group: 'g', memberId: 'a' },
      value: { ...newConsumerGroupMember('a'), instanceId },
    })
  named('one')
  named('other')
  expect(state.instance('one')).toBeUndefined()
  expect(state.instance('other')?.memberId).toBe('a')
  named(null)
  expect(state.instance('other')).toBeUndefined()
})

test('a time that is set back keeps no expression from being looked up', () => {
  const { state, topics } = groupOf()
  const member = { ...newConsumerGroupMember('a'), topicRegex: 'x.*' }
  state.apply({ kind: 'member', group: 'g', memberId: 'a', value: member })
  const value = { topics: [], version: 1, timestamp: 5_000_000 }
  state.apply({ kind: 'expression', group: 'g', expression: 'x.*', value })
  const due = (nowMs: number) => [...expressionsDue(state, true, { topics, version: 2, nowMs })]
  expect([due(5_001_000), due(5_010_001), due(1_000_000)]).toEqual([[], ['x.*'], ['x.*']])
})

test('most members’ wish is the assignor', () => {
  const member = newConsumerGroupMember('a')
  expect(assignorOf([member])).toBe('uniform')
  expect(assignorOf([member, { ...member, serverAssignor: 'range' }])).toBe('range')
})

test('groups are described by their protocol', () => {
  const { state } = groupOf('a')
  expect(describedConsumers('g', state)).toMatchObject({
    ...{ group: 'g', type: 'consumer', state: 'Stable', generation: 2, protocol: 'uniform' },
    members: [{ memberId: 'a', groupInstanceId: null, clientId: 'c', clientHost: '/127.0.0.1' }],
  })
  expect(describedGroup('g', emptyGroup)).toMatchObject({ type: 'classic', state: 'Empty' })
  const store = {
    groups: ['g', 'o'],
    consumerGroup: (name: string) => (name === 'g' ? state : null),
  }
  const classic = [{ name: 'c', protocolType: 'consumer', state: 'Stable' as const }]
  expect(groupsInShort([store], classic)).toEqual([
    { group: 'g', type: 'consumer', protocolType: 'consumer', state: 'Stable' },
    { group: 'o', type: 'classic', protocolType: '', state: 'Empty' },
    { group: 'c', type: 'classic', protocolType: 'consumer', state: 'Stable' },
  ])
})

test('what members read is theirs', () => {
  const { state } = groupOf('a')
  expect(readTopicsOf('g', state, null)).toEqual(new Set(['t']))
  expect(readTopicsOf('g', null, emptyGroup)).toEqual(new Set())
  expect(() => readTopicsOf('g', null, null)).toThrow(GroupNotFoundError)
  const [member] = describedConsumers('g', state).members
  const said = { subscription: Buffer.alloc(0), assignment: Buffer.alloc(0) }
  const members = member === undefined ? [] : [{ ...member, ...said, ...times }]
  const connect = { ...emptyGroup, protocolType: 'connect', members }
  expect(() => readTopicsOf('g', null, connect)).toThrow(GroupNotEmptyError)
})

const times = { rebalanceTimeoutMs: 1, sessionTimeoutMs: 1 }

test('an expression is known, dropped or new by who else has it', () => {
  const { state } = groupOf('a')
  const before = newConsumerGroupMember('b')
  const change = (from: string, to: string): ExpressionChange => {
    const [one, other] = [from, to].map((topicRegex) => ({ ...before, topicRegex }))
    return new ExpressionChange(state, 'g', one ?? before, other ?? before, null)
  }
  expect(change('', '')).toMatchObject({ isAnother: false, isUnknown: false, dropped: null })
  expect(change('', 'x')).toMatchObject({ isAnother: true, isUnknown: true, isResolved: false })
  expect(change('x', '')).toMatchObject({ isResolved: true, dropped: 'x' })
})

test('what is done to a group waits for what is being done to it, and not to others', async () => {
  const turns = new GroupTurns()
  const done: string[] = []
  let finish = (): void => undefined
  const first = turns.take('g', async () => {
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    done.push('first')
    throw new Error('it fails')
  })
  const second = turns.take('g', async () => done.push('second'))
  await turns.take('other', async () => done.push('other'))
  expect(turns.isTaken('g')).toBe(true)
  finish()
  await expect(first).rejects.toThrow('it fails')
  await second
  await turns.end()
  expect(done).toEqual(['other', 'first', 'second'])
})

test('partitions are known by when they were made', () => {
  const made = new MadePartitions(() => 3)
  const { age } = made
  made.note('t', 1)
  expect(made.age).toBeGreaterThan(age)
  expect([0, 1, 2].map((partition) => made.wasMadeAfter(age, { topic: 't', partition }))).toEqual([
    ...[false, true, true],
  ])
})

test('of topics that come and go, those that are there are remembered', () => {
  const there = new Map<string, number>()
  const made = new MadePartitions((topic) => there.get(topic) ?? 0)
  const { age } = made
  for (let number = 0; number < 10_000; number++) {
    there.set(`t${number}`, 1)
    made.note(`t${number}`, 0)
    if (number >= 3) there.delete(`t${number}`)
  }
  expect(made.size).toBeLessThanOrEqual(1_000)
  expect(made.wasMadeAfter(age, { topic: 't2', partition: 0 })).toBe(true)
})

test('groups are measured by what is left of partitions that are there', () => {
  const stored = { leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1 }
  const offsets = [
    { topic: 't', partition: 0, offset: 3, recordOffset: 0, ...stored },
    { topic: 'u', partition: 0, offset: 3, recordOffset: 1, ...stored },
  ]
  const store = { groups: ['g'], offsets: () => offsets }
  const ends = ({ topic }: { topic: string }): number | null => (topic === 't' ? 5 : null)
  expect([...measuredGroups([store], ends)]).toEqual([
    { group: 'g', topic: 't', partition: 0, committedOffset: 3, lag: 2 },
  ])
})

test('a member waits for partitions that others have, and takes those that nobody has', () => {
  const member = newConsumerGroupMember('a')
  const topicId = topicIdOf(1)
  const step = {
    ...{ group: 'g', targetEpoch: 3, target: new Map([[topicId, new Set([0, 1])]]) },
    ...{ hasSubscriptionChanged: false, topicIds: new Set([topicId]), owned: [] },
    isOwned: (_topicId: string, partition: number) => partition === 1,
  }
  const next = reconciled(member, step)
  expect(next).toMatchObject({ state: 'unreleased', memberEpoch: 3, revoking: noPartitions })
  expect(next.assigned).toEqual(new Map([[topicId, new Map([[0, 3]])]]))
  // A topic that it does not read is not its own, whatever was divided.
  expect(reconciled(member, { ...step, topicIds: new Set() }).assigned).toEqual(new Map())
})

test('expressions are RE2’s, match whole names, and are bounded', () => {
  expect(topicMatcher('a|b')('ab')).toBe(false)
  expect(topicMatcher('orders-[0-9]+')('orders-12')).toBe(true)
  expect(topicMatcher('(')('(')).toBe(false)
  checkExpression('g', '(a+)+b')
  const started = performance.now()
  expect(topicMatcher('(a+)+b')('a'.repeat(249))).toBe(false)
  expect(performance.now() - started).toBeLessThan(1_000)
  for (const bad of ['(', '(?=a)', '(a)\\1', 'a{1001}', `${'a'.repeat(40)}{1000}`]) {
    expect(() => checkExpression('g', bad), bad).toThrow('not a valid regular expression')
  }
})
