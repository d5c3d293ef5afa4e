import type { Clock } from '@varve/log'
import type { Topics } from '../topics/topics.ts'
import { PartitionDelivery } from './partition-delivery.ts'
import type { ProducingContext } from './sending-home.ts'
import { lastSourceOffset } from './source-offsets.ts'

/** What producers need, of the topics of a data directory. */
export function directorySending(
  topics: Topics,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): ProducingContext {
  return {
    clock,
    random,
    topic: (name) => topics.topic(name),
    delivery: ({ topic, partition }, identity, options) => {
      return new PartitionDelivery(topics.topic(topic).partition(partition), identity, options)
    },
    lastSourceOffset: ({ topic, partition }, identity) => {
      return lastSourceOffset(topics.topic(topic).partition(partition).log, identity)
    },
  }
}
