import { TopicNotFoundError, type TopicPartition } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'

/**
 * The partitions that `--topic` names, each once: `orders` for all of a topic's, `orders:3` for
 * one. Rejects with InvalidArgumentError when it is neither, and with TopicNotFoundError.
 *
 * @param partitionCount how many a topic has; rejects where there is none
 */
export async function chosenPartitions(
  choices: readonly string[],
  partitionCount: (topic: string) => Promise<number>,
): Promise<readonly TopicPartition[]> {
  const parsed = choices.map(parse)
  const chosen = new Map<string, TopicPartition>()
  for (const { topic, partition } of parsed) {
    const count = await partitionCount(topic)
    if (partition !== null && partition >= count) {
      throw new TopicNotFoundError(topic, partition, count)
    }
    const all = partition === null ? Array.from({ length: count }, (_, each) => each) : [partition]
    for (const each of all) chosen.set(`${topic}:${each}`, { topic, partition: each })
  }
  return [...chosen.values()]
}

function parse(text: string): { readonly topic: string; readonly partition: number | null } {
  const [topic = '', partition, ...rest] = text.split(':')
  const isPartition = partition === undefined || /^\d{1,9}$/.test(partition)
  if (topic === '' || !isPartition || rest.length > 0) {
    throw new InvalidArgumentError('--topic', text, 'must be a topic, or topic:partition')
  }
  return { topic, partition: partition === undefined ? null : Number(partition) }
}
