import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { MemberState } from '../../../src/groups/classic/member-state.ts'
import type { JoinRequest, LocalMember } from '../../../src/groups/group-protocol.ts'

const local: LocalMember = { rebalance: () => undefined, removed: () => undefined }

function request(fields: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId: '',
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('x') }],
    sessionTimeoutMs: 1000,
    rebalanceTimeoutMs: 5000,
    local: null,
    ...fields,
  }
}

test('a session ends when nothing is heard for its time; a local member has none', () => {
  const clock = new ManualClock()
  const ended: string[] = []
  const remote = new MemberState('r', request(), clock)
  const inProcess = new MemberState('l', request({ local }), clock)
  remote.heard(() => ended.push('r'))
  inProcess.heard(() => ended.push('l'))
  clock.advance(900)
  remote.heard(() => ended.push('r'))
  clock.advance(999)
  expect(ended).toEqual([])
  clock.advance(1)
  expect(ended).toEqual(['r'])
  clock.advance(100_000)
  expect(ended).toEqual(['r'])
})

test('a second join makes the first one void, and ending a member rejects what it waits for', async () => {
  const member = new MemberState('m', request(), new ManualClock())
  const first = member.join(() => new Error('again'))
  const second = member.join(() => new Error('again'))
  const synced = member.sync(() => new Error('again'))
  await expect(first).rejects.toThrow('again')
  member.end(new Error('over'))
  await expect(second).rejects.toThrow('over')
  await expect(synced).rejects.toThrow('over')
})

test('what a member offers is compared by names, order and bytes', () => {
  const member = new MemberState('m', request(), new ManualClock())
  const offer = (...names: string[]) =>
    request({ protocols: names.map((name) => ({ name, metadata: Buffer.from('x') })) })
  expect(member.offersTheSameAs(offer('range'))).toBe(true)
  expect(member.offersTheSameAs(offer('range', 'other'))).toBe(false)
  expect(member.offersTheSameAs(offer('other'))).toBe(false)
  const other = request({ protocols: [{ name: 'range', metadata: Buffer.from('y') }] })
  expect(member.offersTheSameAs(other)).toBe(false)
})
