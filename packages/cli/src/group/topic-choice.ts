import { listTopics, TopicNotFoundError, type TopicPartition } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'

/**
 * The partitions that `--topic` names, each once: `orders` for all of a topic's, `orders:3` for
 * one.
 *
 * @throws {InvalidArgumentError} when it is neither
 * @throws {TopicNotFoundError}
 */
export function chosenPartitions(
  data: string,
  choices: readonly string[],
): readonly TopicPartition[] {
  const parsed = choices.map(parse)
  const counts = new Map(listTopics(data).map(({ name, partitions }) => [name, partitions]))
  const chosen = new Map<string, TopicPartition>()
  for (const { topic, partition } of parsed) {
    const count = counts.get(topic)
    if (count === undefined) throw new TopicNotFoundError(topic)
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
