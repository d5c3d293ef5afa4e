import { expect, test } from 'vitest'
import { classicDescription, consumerDescription } from '../../src/cluster/group-descriptions.ts'

const at = { clientId: 'c', clientHost: '/127.0.0.1' }

test('a group of the classic protocol has no generation that a cluster tells', () => {
  const bytes = Buffer.alloc(0)
  const member = { memberId: 'm', ...at, memberMetadata: bytes, memberAssignment: bytes }
  const answer = {
    ...{ errorCode: 0, groupId: 'g', groupState: 'Stable', protocolType: 'consumer' },
    ...{ protocolData: 'range', members: [{ ...member, groupInstanceId: null }] },
    authorizedOperations: 0,
  }
  const told = { group: 'g', type: 'classic', protocolType: 'consumer', generation: -1 }
  const members = [{ memberId: 'm', groupInstanceId: null, ...at }]
  const stable = { ...told, state: 'Stable', protocol: 'range', members }
  expect(classicDescription(answer)).toEqual(stable)
  const empty = { ...answer, groupState: 'Empty', protocolData: '', members: [] }
  const nobody = { ...told, state: 'Empty', protocol: null, members: [] }
  expect(classicDescription(empty)).toEqual(nobody)
})

test('a group of the consumer protocol has its epoch, and an assignor with its members', () => {
  const answer = {
    ...{ errorCode: 0, groupId: 'g', groupState: 'Reconciling', groupEpoch: 7 },
    ...{ assignorName: 'uniform', members: [{ memberId: 'm', instanceId: 'i', ...at }] },
  }
  const told = { group: 'g', type: 'consumer', protocolType: 'consumer', generation: 7 }
  const members = [{ memberId: 'm', groupInstanceId: 'i', ...at }]
  const described = { ...told, state: 'Reconciling', protocol: 'uniform', members }
  expect(consumerDescription(answer)).toEqual(described)
  const empty = consumerDescription({ ...answer, groupState: 'Empty', members: [] })
  expect(empty).toEqual({ ...told, state: 'Empty', protocol: null, members: [] })
})
