import type { Batch } from '@varve/record'
import { transactionsTopic } from '../base/topic-names.ts'
import {
  decodeTransactionKey,
  decodeTransactionValue,
  type TransactionStatus,
} from '../transactions/transaction-records.ts'

const decidedStatuses: readonly TransactionStatus[] = ['prepareCommit', 'prepareAbort']

/**
 * Producers whose transaction was decided when a backup was taken, and not all of whose markers
 * were written: the coordinator writes them when it reads its log again.
 */
export async function decidedProducers(
  read: (topic: string) => AsyncIterable<Batch>,
): Promise<ReadonlySet<number>> {
  const producers = new Map<string, number>()
  for await (const batch of read(transactionsTopic)) {
    if (batch.isControl) continue
    for (const { key, value } of batch.records()) {
      const id = key && decodeTransactionKey(key)
      if (id === null) continue
      const state = value && decodeTransactionValue(value)
      if (state !== null && decidedStatuses.includes(state.status)) {
        producers.set(id, state.producerId)
      } else producers.delete(id)
    }
  }
  return new Set(producers.values())
}
