import { silentLogger } from '../../src/base/logger.ts'
import { offsetsTopic } from '../../src/base/topic-names.ts'
import { OffsetStore } from '../../src/groups/offset-store.ts'
import { ProducerIds } from '../../src/producing/producer-ids.ts'
import type { Topics } from '../../src/topics/topics.ts'
import { directoryTransactions } from '../../src/transactions/directory-transactions.ts'
import { TransactionCoordinator } from '../../src/transactions/transaction-coordinator.ts'
import {
  TransactionalProducer,
  type TransactionalProducerOptions,
} from '../../src/transactions/transactional-producer.ts'
import { type Machine, openTopics, producingContext } from '../broker-fixture.ts'

/** Topics with a coordinator, as the data directory has them. */
export interface Transactions extends AsyncDisposable {
  readonly topics: Topics
  readonly coordinator: TransactionCoordinator
  producer(
    transactionalId: string,
    options?: Partial<TransactionalProducerOptions<string, string>>,
  ): TransactionalProducer<string, string>
  /** The committed offset of a group in partition 0 of a topic; null none. */
  committed(group: string, topic: string): Promise<number | null>
  close(): Promise<void>
}

export async function openTransactions(machine: Machine): Promise<Transactions> {
  const topics = await openTopics(machine)
  const ids = new ProducerIds(() => topics.takeProducerIds())
  const { clock } = machine
  const coordinator = await TransactionCoordinator.load({
    topics,
    clock,
    ids,
    logger: silentLogger,
  })
  const close = async (): Promise<void> => {
    await coordinator.close()
    await topics.close()
  }
  return {
    topics,
    coordinator,
    producer(transactionalId, options = {}) {
      const context = {
        ...producingContext(topics, machine),
        transactions: directoryTransactions({
          ...{ clock, topics, coordinator },
          offsetsTopic: () => topics.internal(offsetsTopic, 1),
        }),
      }
      return new TransactionalProducer(context, { transactionalId, ...options }, () => undefined)
    },
    async committed(group, topic) {
      const offsets = topics.find(offsetsTopic)
      if (offsets === null) return null
      const store = await OffsetStore.load(offsets.partition(0).log)
      return store.committed(group, topic, 0)?.offset ?? null
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
