import { TopicNotFoundError } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { chosenPartitions } from '../../src/group/topic-choice.ts'

const at = (partition: number) => ({ topic: 'orders', partition })

async function partitionCount(topic: string): Promise<number> {
  if (topic !== 'orders') throw new TopicNotFoundError(topic)
  return 2
}

test('a partition that is named twice is chosen once', async () => {
  expect(await chosenPartitions(['orders:1', 'orders'], partitionCount)).toEqual([at(1), at(0)])
  expect(await chosenPartitions(['orders:1'], partitionCount)).toEqual([at(1)])
})

test.each(['', ':1', 'orders:x', 'orders:1:2'])('%j is no choice', async (choice) => {
  const chosen = chosenPartitions([choice], partitionCount)
  await expect(chosen).rejects.toThrow(InvalidArgumentError)
})

test.each(['other', 'orders:2'])('%s is not there', async (choice) => {
  const chosen = chosenPartitions([choice], partitionCount)
  await expect(chosen).rejects.toThrow(TopicNotFoundError)
})
