import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { GroupStanding } from '../../../src/groups/classic/group-standing.ts'
import { InconsistentGroupProtocolError } from '../../../src/groups/group-errors.ts'

test('a generation is begun, and ends when nobody is left', () => {
  const clock = new ManualClock()
  const standing = new GroupStanding('g', clock)
  standing.protocolType = 'consumer'
  clock.advance(5)
  standing.begin('m', 'range')
  const { state, generation, leader, protocol, since } = standing
  expect([state, generation, leader, protocol]).toEqual(['CompletingRebalance', 1, 'm', 'range'])
  expect(since).toBe(clock.now())
  standing.becomeEmpty()
  expect([standing.state, standing.generation, standing.leader]).toEqual(['Empty', 2, null])
})

test('what a member believes is compared where it says it', () => {
  const standing = new GroupStanding('g', new ManualClock())
  standing.protocolType = 'consumer'
  standing.begin('m', 'range')
  const request = { memberId: 'm', groupInstanceId: null, generation: 1, assignments: new Map() }
  standing.checkBelief(request)
  standing.checkBelief({ ...request, protocolType: null, protocol: 'range' })
  expect(() => standing.checkBelief({ ...request, protocolType: 'connect' })).toThrow(
    InconsistentGroupProtocolError,
  )
})
