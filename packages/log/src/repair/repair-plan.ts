import type { FilePosition, Offset } from '@varve/record'
import { LogNotFoundError } from '../base/log-errors.ts'
import { spineBytesPerBatch } from '../format/segment-digest.ts'
import {
  leaderEpochCheckpointFileName,
  logStartOffsetCheckpointFileName,
  parseSegmentFileName,
} from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { nodeFileSystem } from '../storage/node-file-system.ts'
import { withOurErrors } from '../storage/storage-error.ts'
import type { Finding } from '../verify/finding.ts'
import type { SegmentDamage } from '../verify/segment-survey.ts'
import { type InspectedLog, type InspectedSegment, inspectLog } from '../verify/verify-log.ts'

/**
 * One thing that a repair does.
 *
 * - `finish-replacement`: finishes or undoes what an interrupted compaction left, as opening does.
 * - `lower-recovery-point`: the log will end before what was known to be flushed.
 * - `restore-header`: puts fields of a batch header back to what they must have been.
 * - `remove-bytes`: takes bytes that are no valid batch out of a segment. They are kept.
 * - `set-segment-aside`: takes a whole segment out of the log. Its files are kept.
 * - `set-file-aside`: takes a damaged file away that opening makes anew or does without. It is
 *   kept.
 * - `rebuild-segment-files`: makes a segment's indexes and digest anew. The old ones are kept.
 * - `rebuild-leader-epochs`: makes the leader-epoch checkpoint anew. The old one is kept.
 * - `set-log-start`: sets the log start offset in the data directory's checkpoint.
 */
export type RepairStepKind =
  | 'finish-replacement'
  | 'lower-recovery-point'
  | 'restore-header'
  | 'remove-bytes'
  | 'set-segment-aside'
  | 'set-file-aside'
  | 'rebuild-segment-files'
  | 'rebuild-leader-epochs'
  | 'set-log-start'

/** Plain data. */
export interface RepairStep {
  readonly kind: RepairStepKind
  readonly path: string
  readonly position: FilePosition
  /** Length of the stretch concerned; 0 for a whole file. */
  readonly sizeBytes: number
  /** For `restore-header` the header to be, in hexadecimal; for an offset, the offset. */
  readonly value: string | null
  /** What is done and why, for people. */
  readonly message: string
}

/** Offsets whose records cannot be read any more. */
export interface LostOffsets {
  readonly firstOffset: Offset
  /** Null where it is not known how many there were. */
  readonly lastOffset: Offset | null
}

/** What a repair would do. Plain data. */
export interface RepairPlan {
  readonly directory: string
  /** Empty when there is nothing to repair. */
  readonly steps: readonly RepairStep[]
  readonly lostOffsets: readonly LostOffsets[]
  /** Where the log will end. */
  readonly logEndOffset: Offset
  /** The errors and warnings that the plan is for. */
  readonly findings: readonly Finding[]
}

/** How a repair is planned. */
export interface RepairOptions {
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
}

/** Findings that are dealt with by making a segment's derived files anew. */
const derivedCodes = new Set<Finding['code']>([
  'digest-corrupt',
  'digest-mismatch',
  'index-missing',
  'index-corrupt',
  'index-mismatch',
  'index-incomplete',
  'index-padded',
])

/** Findings about files that are taken away. */
const asideCodes = new Set<Finding['code']>([
  'producer-snapshot-corrupt',
  'producer-snapshot-mismatch',
  'partition-metadata-corrupt',
  'segment-missing',
  'checkpoint-corrupt',
])

/**
 * What has to be done so that a log opens and verifies clean, with every record that can still be
 * read. Reads the whole log, takes no lock and changes nothing. The log must be closed.
 *
 * Rejects with LogNotFoundError when there is no such directory.
 */
export async function planRepair(
  directory: string,
  options: RepairOptions = {},
): Promise<RepairPlan> {
  const fs = options.fs ?? nodeFileSystem
  if (fs.stat(directory)?.isDirectory !== true) {
    throw new LogNotFoundError(`${directory} is not a directory`)
  }
  return planFor(await withOurErrors(`reading ${directory}`, () => inspectLog(directory, fs)))
}

/** The plan for a log as it was found. */
export function planFor(log: InspectedLog): RepairPlan {
  const { directory, recoveryPoint } = log.facts
  const findings = log.findings.filter(({ severity }) => severity !== 'note')
  const logEndOffset = log.segments.at(-1)?.nextOffset ?? 0
  const steps: RepairStep[] = []
  const lost: LostOffsets[] = []
  if (logEndOffset < recoveryPoint && findings.length > 0) {
    const message = `the log will end at offset ${logEndOffset}, not at ${recoveryPoint} or later`
    steps.push(step('lower-recovery-point', directory, message, { value: String(logEndOffset) }))
  }
  const changed = new Set<Offset>()
  // Where the checkpoint of epochs is itself wrong, it proves nothing against a batch.
  const areEpochsWrong = findings.some(({ code }) => code.startsWith('leader-epochs-'))
  for (const found of log.segments) {
    const damages = found.damages.filter((it) => !areEpochsWrong || it.isStrangeEpoch !== true)
    const segment = { ...found, damages }
    const segmentSteps = planSegment(segment, found === log.segments.at(-1))
    if (segmentSteps.length > 0) changed.add(segment.listed.baseOffset)
    steps.push(...segmentSteps)
    lost.push(...segment.damages.filter(isRemoved).map(lostOffsetsOf))
  }
  if (logEndOffset < recoveryPoint) {
    lost.push({ firstOffset: logEndOffset, lastOffset: recoveryPoint - 1 })
  }
  steps.push(...planDerived(log, findings, changed))
  steps.push(...planFiles(log, findings))
  const isEpochsStep = ({ kind }: RepairStep): boolean => kind === 'rebuild-leader-epochs'
  // A log that was repaired is as if Varve had closed it.
  if (steps.length > 0 && log.hasDroppedEpochs && !steps.some(isEpochsStep)) {
    steps.push(epochsStep(log, 'there are batches before the first epoch'))
  }
  return { directory, steps, lostOffsets: joined(lost), logEndOffset, findings }
}

/** Whether damage is dealt with by taking the bytes out. */
function isRemoved(damage: SegmentDamage): boolean {
  return damage.restored === null && damage.kind !== 'altered'
}

function planSegment(segment: InspectedSegment, isLast: boolean): RepairStep[] {
  const { listed, damages } = segment
  const { path, sizeBytes } = listed
  const removed = damages.filter(isRemoved)
  const removedBytes = removed.reduce((sum, damage) => sum + damage.sizeBytes, 0)
  if (removedBytes > 0 && removedBytes === sizeBytes && !isLast) {
    const message = 'nothing in the segment can stay in the log; its files are kept'
    return [step('set-segment-aside', path, message, { sizeBytes })]
  }
  const steps: RepairStep[] = []
  for (const damage of damages) {
    const { position, reason, restored } = damage
    if (restored !== null) {
      const place = { position, sizeBytes: spineBytesPerBatch, value: restored.toString('hex') }
      steps.push(step('restore-header', path, `the header is put right: ${reason}`, place))
    } else if (isRemoved(damage)) {
      const message = `${damage.sizeBytes} bytes are taken out and kept: ${reason}`
      const place = { position, sizeBytes: damage.sizeBytes }
      steps.push(step('remove-bytes', path, message, place))
    }
  }
  return steps
}

/** Segments whose indexes and digest must be made anew. */
function planDerived(
  log: InspectedLog,
  findings: readonly Finding[],
  changed: ReadonlySet<Offset>,
): RepairStep[] {
  const steps: RepairStep[] = []
  for (const { listed, damages } of log.segments) {
    const isWanted =
      changed.has(listed.baseOffset) ||
      damages.length > 0 ||
      findings.some((it) => derivedCodes.has(it.code) && baseOf(it.path) === listed.baseOffset)
    if (!isWanted) continue
    const message = 'its indexes and digest are made anew'
    steps.push(step('rebuild-segment-files', listed.path, message))
  }
  return steps
}

function planFiles(log: InspectedLog, findings: readonly Finding[]): RepairStep[] {
  const steps: RepairStep[] = []
  for (const path of new Set(findings.filter(isAside).map((it) => it.path))) {
    steps.push(step('set-file-aside', path, 'it is taken away and kept'))
  }
  const start = findings.find(
    ({ code, path }) =>
      code === 'checkpoint-mismatch' && path.endsWith(`/${logStartOffsetCheckpointFileName}`),
  )
  let epochs = findings.find(({ code }) => code.startsWith('leader-epochs-'))
  if (start !== undefined) {
    const first = log.segments[0]?.listed.baseOffset ?? 0
    const { firstEpochStart } = log
    const value = Math.max(first, firstEpochStart ?? first)
    const message = `the log start offset is set to ${value}, so that no record is hidden`
    steps.push(step('set-log-start', start.path, message, { value: String(value) }))
    // An epoch that starts before the log does is no witness of where the log starts.
    if (firstEpochStart !== null && firstEpochStart < value) epochs ??= start
  }
  if (epochs !== undefined) {
    steps.push(epochsStep(log, epochs.message))
  }
  return steps
}

function epochsStep({ facts }: InspectedLog, reason: string): RepairStep {
  const path = `${facts.directory}/${leaderEpochCheckpointFileName}`
  return step('rebuild-leader-epochs', path, `it is made anew from the batches: ${reason}`)
}

function isAside({ code }: Finding): boolean {
  return asideCodes.has(code)
}

function step(
  kind: RepairStepKind,
  path: string,
  message: string,
  more: Partial<RepairStep> = {},
): RepairStep {
  return { kind, path, position: 0, sizeBytes: 0, value: null, message, ...more }
}

/** The base offset of the segment that a file belongs to; null for other files. */
function baseOf(path: string): Offset | null {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/^active-/, '')
  return parseSegmentFileName(name)?.baseOffset ?? null
}

function lostOffsetsOf({ firstOffset, lastOffset }: SegmentDamage): LostOffsets {
  return { firstOffset, lastOffset }
}

/** Ranges that meet or overlap become one; a range that holds nothing is left out. */
function joined(ranges: readonly LostOffsets[]): readonly LostOffsets[] {
  const result: LostOffsets[] = []
  for (const range of ranges.toSorted((a, b) => a.firstOffset - b.firstOffset)) {
    if (range.lastOffset !== null && range.lastOffset < range.firstOffset) continue
    const last = result.at(-1)
    const reaches =
      last !== undefined && (last.lastOffset ?? last.firstOffset) + 1 >= range.firstOffset
    if (!reaches) {
      result.push(range)
      continue
    }
    const ends = [last.lastOffset, range.lastOffset].filter((end) => end !== null)
    const lastOffset = ends.length === 0 ? null : Math.max(...ends)
    result[result.length - 1] = { firstOffset: last.firstOffset, lastOffset }
  }
  return result
}
