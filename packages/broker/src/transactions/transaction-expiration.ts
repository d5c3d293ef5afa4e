import { InvalidArgumentError, type Timestamp } from '@varve/record'
import type { TransactionState } from './transaction-state.ts'

/** Kafka's transactional.id.expiration.ms: 7 days. */
export const defaultTransactionalIdExpirationMs: number = 7 * 86_400_000

/** Kafka's transaction.remove.expired.transaction.cleanup.interval.ms: an hour. */
export const expirationCheckIntervalMs: number = 3_600_000

/** Throws InvalidArgumentError. */
export function checkExpiration(expirationMs: number): void {
  if (Number.isSafeInteger(expirationMs) && expirationMs > 0) return
  const rule = 'must be a positive integer'
  throw new InvalidArgumentError('transactionalIdExpirationMs', expirationMs, rule)
}

/**
 * Whether an id can be forgotten: nothing of it is under way, nothing was written of it for so
 * long, and no producer has it. Kafka does not know of the last, and lets idle producers fail.
 */
export function isIdExpired(
  state: TransactionState,
  nowMs: Timestamp,
  expirationMs: number,
): boolean {
  const { status, session, producerId, lastUpdateMs } = state
  const isOver = status === 'empty' || status === 'completeCommit' || status === 'completeAbort'
  return isOver && session === null && producerId >= 0 && nowMs - lastUpdateMs >= expirationMs
}
