import { expect } from 'vitest'

// What does not keep a rule yet. These lists only get shorter.

/** What was found is allowed, and all that is allowed was found: else it goes from the list. */
export function expectOnly(
  found: readonly string[],
  allowed: readonly string[],
  instead: string,
): void {
  const unexpected = found.filter((item) => !allowed.includes(item))
  expect([...new Set(unexpected)].sort(), instead).toEqual([])
  const stale = allowed.filter((item) => !found.includes(item))
  expect(stale, 'these keep the rule now: remove them from ratchets.ts').toEqual([])
}

/** Files with lines of more than 100 columns. */
export const longLinesAllowed: readonly string[] = ['packages/log/src/segments/segment-restore.ts']

/** Links to documents that are not written yet. */
export const brokenLinksAllowed: readonly string[] = []

/** Files of more than 450 lines. */
export const longFilesAllowed: readonly string[] = []

/** Functions of more than 70 lines: `path first line`, and how many lines they have. */
export const longFunctionsAllowed: Readonly<Record<string, number>> = {}

/** Modules with logic that no test names; something that is tested uses them. */
export const untestedAllowed: readonly string[] = [
  // On brokers, by the contract that a directory and released Kafkas keep alike.
  'packages/broker/src/cluster/cluster-dead-letters.ts',
  'packages/broker/src/cluster/cluster-effect-ledger.ts',
  'packages/broker/src/cluster/cluster-source-offsets.ts',
  'packages/cli/src/commands/reindex.ts',
  'packages/cli/src/commands/repair.ts',
  'packages/cli/src/consume/record-output.ts',
  'packages/cli/src/dump/dump-index.ts',
  'packages/cli/src/dump/dump-log.ts',
  'packages/cli/src/dump/dump-small.ts',
  'packages/cli/src/dump/index-stream.ts',
  'packages/cli/src/dump/record-json.ts',
  'packages/cli/src/inspect/explain-report.ts',
  'packages/cli/src/inspect/partition-facts.ts',
  'packages/cli/src/inspect/partition-report.ts',
  'packages/cli/src/inspect/segment-report.ts',
  'packages/cli/src/option-checks.ts',
  'packages/cli/src/unambiguous-path.ts',
  'packages/log/src/append/acknowledgement.ts',
  'packages/log/src/append/append-validation.ts',
  'packages/log/src/segments/batch-finder.ts',
  'packages/log/src/read/committed-only.ts',
  'packages/log/src/read/committed-view.ts',
  'packages/log/src/format/data-checkpoints.ts',
  'packages/log/src/segments/file-removals.ts',
  'packages/log/src/storage/file-window.ts',
  'packages/log/src/verify/index-checks.ts',
  'packages/log/src/repair/kept-files.ts',
  'packages/log/src/segments/leader-epoch-search.ts',
  'packages/log/src/recovery/log-adoption.ts',
  'packages/log/src/recovery/log-closing.ts',
  'packages/log/src/verify/log-facts.ts',
  'packages/log/src/verify/log-replay.ts',
  'packages/log/src/segments/log-segments.ts',
  'packages/log/src/recovery/opening-error.ts',
  'packages/log/src/append/placement.ts',
  'packages/log/src/producers/producer-loading.ts',
  'packages/log/src/producers/producer-replay.ts',
  'packages/log/src/segments/sealed-segment.ts',
  'packages/log/src/segments/segment-files.ts',
  'packages/log/src/repair/segment-mending.ts',
  'packages/log/src/segments/segment-pins.ts',
  'packages/log/src/repair/segment-rebuild.ts',
  'packages/log/src/segments/segment-restore.ts',
  'packages/log/src/verify/spine-check.ts',
  'packages/log/src/testing/disk-nodes.ts',
  'packages/log/src/testing/file-tree.ts',
  'packages/log/src/testing/operation-journal.ts',
  'packages/log/src/testing/simulated-calls.ts',
  'packages/log/src/testing/simulated-file.ts',
  'packages/log/src/testing/simulated-kernel.ts',
  'packages/log/src/verify/transaction-index-check.ts',
  'packages/log/src/verify/verify-leftovers.ts',
  'packages/log/src/verify/verify-segment.ts',
  'packages/log/src/append/waiters.ts',
  'packages/record/src/batch-header.ts',
  'packages/record/src/batch-options.ts',
  'packages/record/src/compression/codec.ts',
]

/** Exported names that nothing else uses. */
export const unusedExportsAllowed: readonly string[] = []
