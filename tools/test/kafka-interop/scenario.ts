import type { BatchOptions, Offset, RecordInput } from '@varve/record'
import type { PlainRecord } from '../../src/kafka/plain-record.ts'

/** What a log holds, told apart from how it gets there. */
export interface Scenario {
  readonly name: string
  /** Offset of the first record. */
  readonly startOffset: Offset
  /** A segment that would grow beyond this is sealed. */
  readonly segmentBytes: number
  /** The log stamps its records itself, with this time. */
  readonly logAppendTime?: number
  readonly steps: readonly Step[]
}

export type Step = BatchStep | MarkerStep

export interface BatchStep {
  readonly kind: 'batch'
  readonly options: BatchOptions
  readonly records: readonly TimedRecord[]
  /** How the transaction ends that it belongs to. */
  readonly outcome?: 'committed' | 'aborted' | 'open'
}

/** The end of a producer's transaction. */
export interface MarkerStep {
  readonly kind: 'marker'
  readonly type: 'abort' | 'commit'
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly timestamp: number
}

export type TimedRecord = RecordInput & { readonly timestamp: number }
export type IsolationLevel = 'read_committed' | 'read_uncommitted'

/** What a consumer must get of the scenario, worked out from what was meant to be written. */
export function recordsOf(scenario: Scenario, isolationLevel: IsolationLevel): PlainRecord[] {
  const records: PlainRecord[] = []
  let offset = scenario.startOffset
  for (const step of scenario.steps) {
    if (step.kind === 'marker') {
      offset += 1
      continue
    }
    const isCommittedRead = isolationLevel === 'read_committed'
    // The last stable offset: nothing from the first open transaction on is handed out.
    if (isCommittedRead && step.outcome === 'open') break
    const isVisible = !isCommittedRead || step.outcome !== 'aborted'
    for (const record of step.records) {
      if (isVisible) records.push(plainOf(record, offset, scenario.logAppendTime))
      offset += 1
    }
  }
  return records
}

/** The offset that the next record gets. */
export function endOffsetOf(scenario: Scenario): Offset {
  const sizes = scenario.steps.map((step) => (step.kind === 'marker' ? 1 : step.records.length))
  return sizes.reduce((sum, size) => sum + size, scenario.startOffset)
}

export function plainOf(record: TimedRecord, offset: Offset, logAppendTime?: number): PlainRecord {
  return {
    offset,
    timestamp: logAppendTime ?? record.timestamp,
    key: base64(record.key),
    value: base64(record.value),
    headers: (record.headers ?? []).map(
      (header) => [Buffer.from(header.key).toString('base64'), base64(header.value)] as const,
    ),
  }
}

function base64(bytes: Uint8Array | string | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString('base64')
}
