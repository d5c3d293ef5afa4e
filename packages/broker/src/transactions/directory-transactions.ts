import type { Clock } from '@varve/log'
import type { RecordInput } from '@varve/record'
import { offsetsTopic } from '../base/topic-names.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import { partitionForGroup } from '../groups/group-partition.ts'
import { encodeOffsetCommitKey, encodeOffsetCommitValue } from '../groups/offset-commit.ts'
import type { Topic } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'
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
      const commitTimestamp = clock.now()
      const records = offsets.map((offset) => offsetRecord(group, offset, commitTimestamp))
      await send(offsetsTopic, records, partitionForGroup(group, partitions.length))
    },
    end: (id, identity, outcome) => coordinator.end(id, identity, outcome),
  }
}

function offsetRecord(
  group: string,
  { topic, partition, offset, metadata = '', leaderEpoch = -1 }: CommittedOffset,
  commitTimestamp: number,
): RecordInput {
  return {
    key: encodeOffsetCommitKey({ group, topic, partition }),
    value: encodeOffsetCommitValue({
      ...{ offset, leaderEpoch, metadata, commitTimestamp },
      expireTimestamp: -1,
    }),
    timestamp: commitTimestamp,
  }
}
