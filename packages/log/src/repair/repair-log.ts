import { type Offset, VarveError } from '@varve/record'
import { LogLockedError, LogNotFoundError } from '../base/log-errors.ts'
import type { LogOptions } from '../base/log-options.ts'
import {
  hasCleanShutdown,
  removeCleanShutdown,
  writeCleanShutdown,
} from '../format/clean-shutdown.ts'
import { provenLogStart } from '../format/log-start.ts'
import { OffsetCheckpointFile } from '../format/offset-checkpoint.ts'
import { listSegments } from '../format/segment-listing.ts'
import { findEpochsIn } from '../segments/leader-epoch-search.ts'
import { segmentFileKinds } from '../segments/segment-files.ts'
import { makeDurable } from '../segments/segment-recovery.ts'
import { finishSwap } from '../segments/segment-swap.ts'
import {
  leaderEpochCheckpointFileName,
  lockFileName,
  logStartOffsetCheckpointFileName,
  progressFileName,
  recoveryPointCheckpointFileName,
  segmentFileName,
} from '../storage/file-names.ts'
import { type FileLock, type FileSystem, replaceSmallFile } from '../storage/file-system.ts'
import { nodeFileSystem } from '../storage/node-file-system.ts'
import { withOurErrors } from '../storage/storage-error.ts'
import type { Finding } from '../verify/finding.ts'
import { dataDirectoryOf, type LogFacts } from '../verify/log-facts.ts'
import { inspectLog } from '../verify/verify-log.ts'
import { keepSecondName, setAside } from './kept-files.ts'
import {
  type LostOffsets,
  planFor,
  type RepairOptions,
  type RepairPlan,
  type RepairStep,
} from './repair-plan.ts'
import { mendSegment } from './segment-mending.ts'
import { rebuildSegments } from './segment-rebuild.ts'

/** The log is not as it was when the plan was made. */
export class RepairPlanOutdatedError extends VarveError {
  readonly code = 'VARVE_REPAIR_PLAN_OUTDATED'
  readonly directory: string

  constructor(directory: string) {
    super(`${directory} is not as it was when its repair was planned`, {
      hint: 'plan the repair again, and look at the new plan',
    })
    this.directory = directory
  }
}

/** How a log is repaired. */
export interface RepairLogOptions extends RepairOptions {
  /** Do this, and refuse when anything else has to be done. @defaultValue whatever is needed */
  readonly plan?: RepairPlan
  /** How indexes are to be. @defaultValue the defaults of a log */
  readonly log?: LogOptions
}

/** What a repair did. Plain data. */
export interface RepairReport {
  readonly directory: string
  readonly steps: readonly RepairStep[]
  readonly lostOffsets: readonly LostOffsets[]
  readonly logEndOffset: Offset
  /** Where everything is that was taken out of the log. */
  readonly keptFiles: readonly string[]
  /** Errors and warnings that are left: none, unless the medium fails. */
  readonly findings: readonly Finding[]
}

/**
 * Makes a log open and verify clean again, with every record that can still be read: what lies
 * before damage and what lies behind it. Records keep their offsets, so where some are lost there
 * is a gap. Nothing is thrown away: what is taken out of the log lies beside it, and is named in
 * the report.
 *
 * The log must be closed; its data directory's lock is taken, or its own. A crash at any point
 * leaves a log that opens, or refuses to as before; repairing it again does the rest. In this
 * order:
 *
 *   1. The marker of a clean shutdown goes: whatever is found next was left by a crash.
 *   2. The recovery point is lowered to where the log will end, where that is less.
 *   3. What comes out of a `.log` is made durable beside it; then the mended one takes its place.
 *   4. Derived files are replaced, one by one.
 *   5. The recovery point is set to the log's end, and the marker comes back if it was there.
 *
 * Rejects with LogNotFoundError, LogLockedError, RepairPlanOutdatedError and StorageError.
 */
export function repairLog(
  directory: string,
  options: RepairLogOptions = {},
): Promise<RepairReport> {
  return withOurErrors(`repairing ${directory}`, () => repair(directory, options))
}

async function repair(directory: string, options: RepairLogOptions): Promise<RepairReport> {
  const fs = options.fs ?? nodeFileSystem
  const lock = await lockLog(fs, directory)
  try {
    const finished = await finishSwap(fs, directory)
    const inspected = await inspectLog(directory, fs)
    const plan = planFor(inspected)
    if (options.plan !== undefined && !isSamePlan(plan, options.plan)) {
      throw new RepairPlanOutdatedError(directory)
    }
    const keptFiles: string[] = []
    if (plan.steps.length > 0) {
      const repair = new LogRepair(fs, inspected.facts, plan, options.log ?? {})
      keptFiles.push(...(await repair.run()))
    }
    const isUntouched = plan.steps.length === 0 && finished.length === 0
    const after = isUntouched ? inspected : await inspectLog(directory, fs)
    const findings = after.findings.filter(({ severity }) => severity !== 'note')
    const { steps, lostOffsets, logEndOffset } = plan
    return { directory, steps, lostOffsets, logEndOffset, keptFiles, findings }
  } finally {
    lock.release()
  }
}

/**
 * Locks a closed log against everybody else: its data directory where it has one, else itself.
 * Rejects with LogNotFoundError when there is no such directory, and with LogLockedError.
 */
export async function lockLog(fs: FileSystem, directory: string): Promise<FileLock> {
  if (fs.stat(directory)?.isDirectory !== true) {
    throw new LogNotFoundError(`${directory} is not a directory`)
  }
  const owner = dataDirectoryOf(fs, directory) ?? directory
  const lockPath = `${owner}/${lockFileName}`
  const lock = await fs.lock(lockPath)
  if (lock === null) throw new LogLockedError(owner, fs.lockHolder?.(lockPath) ?? null)
  return lock
}

function isSamePlan(a: RepairPlan, b: RepairPlan): boolean {
  return JSON.stringify(a.steps) === JSON.stringify(b.steps)
}

class LogRepair {
  readonly #fs: FileSystem
  readonly #facts: LogFacts
  readonly #plan: RepairPlan
  readonly #log: LogOptions
  readonly #kept: string[] = []

  constructor(fs: FileSystem, facts: LogFacts, plan: RepairPlan, log: LogOptions) {
    this.#fs = fs
    this.#facts = facts
    this.#plan = plan
    this.#log = log
  }

  /** Returns where everything is that was taken out. */
  async run(): Promise<readonly string[]> {
    const { dataDirectory, directory } = this.#facts
    const hadMarker = dataDirectory !== null && hasCleanShutdown(this.#fs, dataDirectory)
    if (hadMarker) await removeCleanShutdown(this.#fs, dataDirectory)
    for (const { path } of this.#steps('set-file-aside')) this.#setAside(path)
    await this.#fs.syncDirectory(directory)
    await this.#lowerRecoveryPoint()
    await this.#mendSegments()
    await this.#rebuildSegments()
    await this.#rebuildEpochs()
    await this.#setLogStart()
    await this.#raiseRecoveryPoint()
    if (hadMarker) await writeCleanShutdown(this.#fs, dataDirectory)
    return this.#kept
  }

  #steps(kind: RepairStep['kind']): readonly RepairStep[] {
    return this.#plan.steps.filter((step) => step.kind === kind)
  }

  #setAside(path: string): void {
    if (this.#fs.stat(path) !== null) this.#kept.push(setAside(this.#fs, path))
  }

  /** Before anything is cut, so that no recovery takes what is gone for lost. */
  async #lowerRecoveryPoint(): Promise<void> {
    if (this.#steps('lower-recovery-point').length === 0) return
    await this.#writeRecoveryPoint()
  }

  /** The bounds of a log that ends where the plan says. */
  async #writeRecoveryPoint(): Promise<void> {
    const { dataDirectory, directory, checkpointName } = this.#facts
    const { logEndOffset } = this.#plan
    const progressPath = `${directory}/${progressFileName}`
    if (this.#fs.stat(progressPath) !== null) {
      await this.#fs.remove(progressPath)
      await this.#fs.syncDirectory(directory)
    }
    if (dataDirectory === null) return
    const path = `${dataDirectory}/${recoveryPointCheckpointFileName}`
    await new OffsetCheckpointFile(this.#fs, path).writeOne(checkpointName, logEndOffset)
  }

  async #mendSegments(): Promise<void> {
    const { directory } = this.#facts
    for (const { path, baseOffset } of this.#facts.segments) {
      const steps = this.#plan.steps.filter((step) => step.path === path)
      if (steps.some(({ kind }) => kind === 'set-segment-aside')) {
        for (const kind of segmentFileKinds) {
          this.#setAside(`${directory}/${segmentFileName(baseOffset, kind)}`)
        }
        await this.#fs.syncDirectory(directory)
        continue
      }
      const removed = steps.filter(({ kind }) => kind === 'remove-bytes')
      const restored = new Map(
        steps
          .filter(({ kind }) => kind === 'restore-header')
          .map(({ position, value }) => [position, Buffer.from(value ?? '', 'hex')]),
      )
      if (removed.length === 0 && restored.size === 0) continue
      const kept = await mendSegment(this.#fs, directory, { path, removed, restored })
      this.#kept.push(...kept)
    }
  }

  async #rebuildSegments(): Promise<void> {
    const { directory, name } = this.#facts
    const wantedPaths = new Set(this.#steps('rebuild-segment-files').map(({ path }) => path))
    const segments = listSegments(this.#fs, directory)
    const wanted = new Set(
      segments.filter(({ path }) => wantedPaths.has(path)).map(({ baseOffset }) => baseOffset),
    )
    const context = { fs: this.#fs, directory, name, segments, log: this.#log, keepsOld: true }
    const { keptFiles } = await rebuildSegments(context, wanted)
    this.#kept.push(...keptFiles)
  }

  async #rebuildEpochs(): Promise<void> {
    if (this.#steps('rebuild-leader-epochs').length === 0) return
    const { directory } = this.#facts
    const epochs = await findEpochsIn(this.#fs, listSegments(this.#fs, directory))
    const start = this.#logStartOffset()
    if (start !== null) epochs.truncateFromStart(start)
    const path = `${directory}/${leaderEpochCheckpointFileName}`
    if (this.#fs.stat(path) !== null) this.#kept.push(keepSecondName(this.#fs, path))
    await replaceSmallFile(this.#fs, path, epochs.encode())
  }

  #logStartOffset(): Offset | null {
    const [step] = this.#steps('set-log-start')
    if (step !== undefined) return Number(step.value)
    const { directory, logStartOffset } = this.#facts
    return logStartOffset === null ? null : provenLogStart(this.#fs, directory, logStartOffset)
  }

  async #setLogStart(): Promise<void> {
    const [step] = this.#steps('set-log-start')
    const { dataDirectory, checkpointName } = this.#facts
    if (step === undefined || dataDirectory === null) return
    const path = `${dataDirectory}/${logStartOffsetCheckpointFileName}`
    await new OffsetCheckpointFile(this.#fs, path).writeOne(checkpointName, Number(step.value))
  }

  /** Everything is durable now, also what a crash had left in memory only. */
  async #raiseRecoveryPoint(): Promise<void> {
    const { directory, recoveryPoint, isClean } = this.#facts
    const segments = listSegments(this.#fs, directory)
    for (const [index, { path, sizeBytes }] of segments.entries()) {
      const endOffset = segments[index + 1]?.baseOffset ?? Number.POSITIVE_INFINITY
      if (isClean || endOffset <= recoveryPoint) continue
      const file = this.#fs.open(path, 'write')
      try {
        await makeDurable(file, 0, sizeBytes)
      } finally {
        file.close()
      }
    }
    await this.#fs.syncDirectory(directory)
    await this.#writeRecoveryPoint()
  }
}
