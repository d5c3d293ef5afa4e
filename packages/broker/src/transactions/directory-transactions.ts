import type { Clock } from '@varve/log'
import { offsetsTopic } from '../base/topic-names.ts'
import { partitionForGroup } from '../groups/group-partition.ts'
import type { Topic } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'
import { offsetRecords } from './offset-records.ts'
import type { TransactionCoordinator } from './transaction-coordinator.ts'
import { TransactionEndedError } from './transaction-errors.ts'
import type { TransactionHome } from './transaction-home.ts'

export interface DirectoryTransactionsOptions {
  readonly clock: Clock
  readonly topics: Topics
  readonly coordinator: TransactionCoordinator
  /** The topic of committed offsets, made when it is not there. */
  offsetsTopic(): Promise<Topic>
}

/** The transactions of a data directory. */
export function directoryTransactions(options: DirectoryTransactionsOptions): TransactionHome {
  const { clock, topics, coordinator } = options
  return {
    identitiesOf: (id, timeoutMs) => coordinator.identitiesOf(id, timeoutMs),
    enlist(id, identity, { topic, partition }) {
      const found = topics.topic(topic).partition(partition)
      // As it is now: opened again, it may have lost what was written and not flushed.
      const { log } = found
      return {
        joined: coordinator.addPartitions(id, identity, [{ topic, partition }]),
        makeDurable: async () => {
          await log.flush()
          if (found.log !== log) throw new TransactionEndedError(id)
        },
      }
    },
    async sendOffsets({ group, offsets, send }) {
      const { partitions } = await options.offsetsTopic()
      const records = offsetRecords(group, offsets, clock.now())
      await send(offsetsTopic, records, partitionForGroup(group, partitions.length))
    },
    end: (id, identity, outcome) => coordinator.end(id, identity, outcome),
  }
}
