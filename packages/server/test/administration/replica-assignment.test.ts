import { expect, test } from 'vitest'
import {
  checkBroker,
  checkPartitionsAsked,
  checkReplicas,
  checkReplicationFactor,
  partitionsOf,
} from '../../src/administration/replica-assignment.ts'
import { RequestRefusedError } from '../../src/base/server-errors.ts'

test('negative counts do not make room for more partitions', () => {
  expect(() => checkPartitionsAsked([10_000])).not.toThrow()
  expect(() => checkPartitionsAsked([10_001, -5])).toThrow(RequestRefusedError)
})

test('replicas are the one broker, once', () => {
  expect(() => checkReplicas([4], 4)).not.toThrow()
  for (const replicas of [[], [1], [4, 4], [4, 1]]) {
    expect(() => checkReplicas(replicas, 4)).toThrow(RequestRefusedError)
  }
})

test('more copies than one are accepted or refused, as the server is told', () => {
  for (const factor of [-1, 1, 3]) {
    expect(() => checkReplicationFactor(factor, { replicationFactor: 'accept' })).not.toThrow()
  }
  expect(() => checkReplicationFactor(3, { replicationFactor: 'refuse' })).toThrow(/one broker/)
  expect(() => checkReplicationFactor(-2, { replicationFactor: 'accept' })).toThrow(/larger than 0/)
})

test('an assignment numbers its partitions without gaps', () => {
  const options = { nodeId: 1, numPartitions: 5, replicationFactor: 'accept' } as const
  const assigned = (...indexes: number[]) => ({
    ...{ numPartitions: -1, replicationFactor: -1 },
    assignments: indexes.map((partitionIndex) => ({ partitionIndex, brokerIds: [1] })),
  })
  expect(partitionsOf(assigned(), options)).toBe(5)
  expect(partitionsOf(assigned(2, 0, 1), options)).toBe(3)
  for (const indexes of [[1], [0, 2], [0, 0], [-1, 0]]) {
    expect(() => partitionsOf(assigned(...indexes), options)).toThrow(RequestRefusedError)
  }
})

test('a broker is named by its id', () => {
  expect(() => checkBroker('3', 3)).not.toThrow()
  for (const name of ['', '4', '03', 'x']) expect(() => checkBroker(name, 3)).toThrow(/expected 3/)
})
