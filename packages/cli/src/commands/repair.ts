import { type LostOffsets, planRepair, type RepairPlan, repairLog } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { formatAmount } from '../human.ts'
import { LineOutput } from '../output.ts'
import { resolveTarget } from '../target.ts'
import { unambiguous } from '../unambiguous-path.ts'
import { explainFinding, offsets } from './verify.ts'

/** How a repair is planned. */
export interface RepairOptions {
  readonly path: string
  /** Carry the plan out; else it is only shown. */
  readonly yes: boolean
  readonly json: boolean
}

/**
 * Shows what has to be done so that a log, or every log of a data directory, opens and verifies
 * clean; with `yes`, does it. What is taken out of a log is kept beside it.
 *
 * @returns findings when there is something to repair that was not, or could not be, repaired
 */
export async function repair(options: RepairOptions, io: CommandIo): Promise<number> {
  const path = unambiguous(options.path)
  const target = resolveTarget(path)
  if (target.kind === 'file') {
    throw new InvalidArgumentError('path', path, 'must be a partition or a data directory')
  }
  const lines = new LineOutput(io.stdout)
  let isLeft = false
  for (const partition of target.kind === 'partition' ? [target] : target.partitions) {
    throwIfInterrupted(io)
    const plan = await planRepair(partition.path)
    if (!options.json) explainPlan(plan, lines)
    if (options.yes && plan.steps.length > 0) {
      isLeft = (await carryOut(plan, options, lines)) || isLeft
    } else {
      if (options.json) lines.json({ type: 'plan', ...plan })
      isLeft ||= plan.steps.length > 0 || plan.findings.length > 0
    }
    await lines.flush()
  }
  if (isLeft && !options.yes && !options.json) {
    lines.line('Nothing was changed. Run it again with --yes to carry this out.')
    await lines.flush()
  }
  return isLeft ? exitCodes.findings : exitCodes.fine
}

/** Does what the plan says, and no more; tells whether something is still wrong afterwards. */
async function carryOut(
  plan: RepairPlan,
  options: RepairOptions,
  lines: LineOutput,
): Promise<boolean> {
  const report = await repairLog(plan.directory, { plan })
  if (options.json) {
    lines.json({ type: 'report', ...report })
  } else {
    const steps = formatAmount(report.steps.length, 'step')
    lines.line(`  done: ${steps}; the log ends at offset ${report.logEndOffset}`)
    for (const kept of report.keptFiles) lines.line(`  kept: ${kept}`)
    for (const left of report.findings) {
      for (const line of explainFinding(left)) lines.line(`  ${line}`)
    }
  }
  return report.findings.length > 0
}

function explainPlan(plan: RepairPlan, lines: LineOutput): void {
  const { directory, steps, lostOffsets, findings } = plan
  if (steps.length === 0 && findings.length === 0) {
    lines.line(`${directory}: nothing to repair`)
    return
  }
  lines.line(`${directory}: ${formatAmount(findings.length, 'finding')}`)
  for (const { kind, path, position, sizeBytes, message } of steps) {
    const stretch = sizeBytes > 0 ? `, position ${position} to ${position + sizeBytes - 1}` : ''
    lines.line(`  ${kind}: ${path}${stretch}`)
    lines.line(`    ${message}`)
  }
  if (steps.length === 0) lines.line('  nothing can be done about it')
  lines.line(`  lost: ${explainLost(lostOffsets)}`)
}

function explainLost(lost: readonly LostOffsets[]): string {
  if (lost.length === 0) return 'no record'
  return lost.map(({ firstOffset, lastOffset }) => offsets(firstOffset, lastOffset)).join('; ')
}
