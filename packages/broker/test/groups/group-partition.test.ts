import { expect, test } from 'vitest'
import { partitionForGroup } from '../../src/groups/group-partition.ts'
import { partitionVectors } from './kafka-schemas.ts'

test('a group lies in the partition in which Kafka has it', () => {
  expect(partitionVectors.length).toBeGreaterThan(5)
  for (const { group, of50, of7 } of partitionVectors) {
    expect([group, partitionForGroup(group, 50), partitionForGroup(group, 7)]).toEqual([
      group,
      of50,
      of7,
    ])
  }
})
