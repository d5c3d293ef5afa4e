import { type TransactionStatus, transactionStatuses } from '@varve/broker/serving'

/** What Kafka's tools call them: `PrepareCommit` for our `prepareCommit`. */
export function kafkaStateOf(status: TransactionStatus): string {
  return status.slice(0, 1).toUpperCase() + status.slice(1)
}

/** All of Kafka's names. */
export const kafkaStates: ReadonlySet<string> = new Set(transactionStatuses.map(kafkaStateOf))
