import { expect, test } from 'vitest'
import { chosenPartitions } from '../../src/group/topic-choice.ts'
import { makeGroupData } from '../group-fixture.ts'

test('a partition that is named twice is chosen once', async () => {
  const data = await makeGroupData()
  const at = (partition: number) => ({ topic: 'orders', partition })
  expect(chosenPartitions(data, ['orders:1', 'orders'])).toEqual([at(1), at(0)])
  expect(chosenPartitions(data, ['orders:1'])).toEqual([at(1)])
})
