import type { Producer } from '@varve/broker'
import type { RecordInput } from '@varve/record'
import type { ClusterPlace } from '../cluster/client-properties.ts'
import { openCluster, partsOf } from '../cluster/open-cluster.ts'
import type { Appended, AppendOptions, AppendTarget, OpenTarget } from './append-target.ts'

/** A topic of a server, Varve's or Kafka's. Its `target` rejects with TopicNotFoundError. */
export async function openServerTarget(
  options: AppendOptions & { readonly place: ClusterPlace },
): Promise<OpenTarget> {
  const { place, topic, partition, acks, compressionType: compression } = options
  const varve = await openCluster(place)
  return {
    async target() {
      // Said now, whatever comes to be read; and a topic is not made by mistyping its name.
      const found = await partsOf(varve).topics.topic(topic)
      if (partition !== null) found.partition(partition)
      return new ServerTarget(varve.producer({ acks, compression }), topic, partition)
    },
    close: () => varve.close(),
  }
}

export class ServerTarget implements AppendTarget {
  readonly #producer: Pick<Producer, 'send'>
  readonly #topic: string
  readonly #to: { readonly partition?: number }

  /** @param partition null leaves it to the keys, and where there are none to the producer */
  constructor(producer: Pick<Producer, 'send'>, topic: string, partition: number | null) {
    this.#producer = producer
    this.#topic = topic
    this.#to = partition === null ? {} : { partition }
  }

  async append(records: readonly RecordInput[]): Promise<readonly Appended[]> {
    const sent = await Promise.all(
      records.map(({ key = null, value = null }) => {
        return this.#producer.send(this.#topic, { key, value }, this.#to)
      }),
    )
    const found = new Map<number, Appended>()
    for (const { partition, offset } of sent) {
      const known = offset < 0 ? null : offset
      const before = found.get(partition)
      const firstOffset = before === undefined ? known : before.firstOffset
      const count = (before?.records ?? 0) + 1
      found.set(partition, { partition, records: count, firstOffset, lastOffset: known })
    }
    return [...found.values()]
  }
}
