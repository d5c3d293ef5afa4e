/**
 * Keeps logs at the size and in the shape that their owner asked for: retention and compaction by
 * Apache Kafka's rules.
 *
 * @module
 */
export {
  type CleaningPolicy,
  type CleanupPolicy,
  defaultCleaningPolicy,
  type ResolvedCleaningPolicy,
  resolveCleaningPolicy,
} from './policy/cleaning-policy.ts'
export type { HeldBack, RetentionHold } from './retention/retention-hold.ts'
export {
  type RetentionDecision,
  type RetentionDeletion,
  type RetentionInput,
  type RetentionPlan,
  type RetentionReason,
  type RetentionSegment,
  selectForDeletion,
} from './retention/retention-selection.ts'
