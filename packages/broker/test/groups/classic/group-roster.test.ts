import type { Clock } from '@varve/log'
import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { GroupRoster } from '../../../src/groups/classic/group-roster.ts'
import { MemberState } from '../../../src/groups/classic/member-state.ts'
import { FencedInstanceError, UnknownMemberError } from '../../../src/groups/group-errors.ts'

const request = {
  memberId: '',
  groupInstanceId: 'i',
  clientId: 'c',
  clientHost: '/127.0.0.1',
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('x') }],
  sessionTimeoutMs: 1000,
  rebalanceTimeoutMs: 5000,
  local: null,
}

const named = (memberId: string) => ({ memberId, groupInstanceId: null })

test('so many given ids are remembered, and the oldest are forgotten first', () => {
  const clock: Clock = {
    ...{ now: () => 0, monotonic: () => 0 },
    setTimer: () => ({ cancel: () => undefined }),
  }
  const roster = new GroupRoster('g')
  for (let id = 0; id < 10_001; id++) roster.expect(String(id), clock, 1000, () => undefined)
  const known = ['0', '1', '10000'].map((id) => roster.isExpected(named(id)))
  expect(known).toEqual([false, true, true])
  expect(roster.isExpected({ memberId: '1', groupInstanceId: 'i' })).toBe(false)
})

test('a static member is found by its instance, and only it may speak for that', () => {
  const roster = new GroupRoster('g')
  const member = new MemberState('m', request, new ManualClock())
  roster.admit(member)
  expect(roster.find({ memberId: '', groupInstanceId: 'i' })).toBe(member)
  expect(roster.check({ memberId: 'm', groupInstanceId: 'i' })).toBe(member)
  expect(() => roster.check({ memberId: '', groupInstanceId: 'i' })).toThrow(UnknownMemberError)
  expect(() => roster.check({ memberId: 'n', groupInstanceId: 'i' })).toThrow(FencedInstanceError)
  expect(roster.remove('m')).toBe(member)
  expect([roster.remove('m'), roster.instance('i')]).toEqual([undefined, undefined])
})

test('who led goes on leading if it has joined; else who came first of those who have', () => {
  const roster = new GroupRoster('g')
  const clock = new ManualClock()
  const members = ['a', 'b', 'c'].map((id) => {
    return new MemberState(id, { ...request, groupInstanceId: id }, clock)
  })
  for (const member of members) roster.admit(member)
  expect(roster.leaderAfter('b')).toBeUndefined()
  const [, b, c] = members
  void c?.join(() => new Error('again'))
  expect([roster.leaderAfter('b')?.memberId, roster.haveAllJoined]).toEqual(['c', false])
  void b?.join(() => new Error('again'))
  expect([roster.leaderAfter('c'), roster.leaderAfter(null)]).toEqual([c, b])
})
