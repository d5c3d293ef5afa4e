/**
 * Keeps logs at the size and in the shape that their owner asked for: retention and compaction by
 * Apache Kafka's rules.
 *
 * @module
 */
export { Cleaner, type CleanerReport } from './cleaner.ts'
export {
  type CleaningFailureEvent,
  type CompactionEvent,
  type CompactionProgressEvent,
  cleanerChannels,
  type RetentionEvent,
  type RotEvent,
  type ScrubEvent,
} from './cleaner-events.ts'
export type { CleanerOptions } from './cleaner-options.ts'
export { CompactionFailedError, SegmentDamageError } from './cleaning-errors.ts'
export type { CleaningFailure } from './cleaning-failures.ts'
export {
  type CompactionInput,
  type CompactionPlan,
  type CompactionReason,
  planCompaction,
} from './compaction/compaction-plan.ts'
export {
  type CompactionSurvey,
  type CompactionSurveyOptions,
  surveyCompaction,
} from './compaction/compaction-survey.ts'
export type {
  CleanedGroup,
  CompactionProgress,
  CompactionStats,
  CompactionTask,
  ProducerTail,
  RoundResult,
} from './compaction/compaction-task.ts'
export { inlineExecutor } from './compaction/inline-executor.ts'
export {
  type CompactionExecutor,
  type CompactionOutcome,
  type CompactionResources,
  compactLog,
  type LogCompactionContext,
  planLogCompaction,
  SegmentsGoneError,
} from './compaction/log-compaction.ts'
export {
  type CleaningPolicy,
  type CleanupPolicy,
  defaultCleaningPolicy,
  type ResolvedCleaningPolicy,
  resolveCleaningPolicy,
} from './policy/cleaning-policy.ts'
export { expiresAtHeader, isExpired, ownExpiryOf } from './policy/record-expiry.ts'
export {
  deleteByPlan,
  type LogRetentionSettings,
  planLogRetention,
  type RetainedLog,
} from './retention/log-retention.ts'
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
export { Scrubber, type ScrubberOptions, type ScrubReport } from './scrubber/scrubber.ts'
