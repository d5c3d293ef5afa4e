import { accessSync, constants, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  type Conditions,
  describeMachine,
  htmlReport,
  isCluster,
  type Measurement,
  machineLine,
  type RunKind,
  type RunReport,
  type TaskFigure,
} from '@varve/bench'
import { InvalidArgumentError } from '@varve/record'
import type { CommandIo } from '../command-io.ts'
import { LineOutput } from '../output.ts'
import type { BenchOptions } from './bench-options.ts'

export interface RunResult {
  readonly kind: RunKind
  readonly startedMs: number
  readonly conditions: Conditions
  readonly measurements?: readonly Measurement[]
  readonly tasks?: readonly TaskFigure[]
  readonly notes?: readonly string[]
}

/** The directory that a run is in, made where it is not there; of a cluster, the current one. */
export function machineDirectory(data: string): string {
  if (isCluster(data)) return realpathSync('.')
  mkdirSync(data, { recursive: true })
  return realpathSync(data)
}

/**
 * Files that a run will write when it is over are to be found impossible before it. Throws
 * InvalidArgumentError.
 */
export function checkOutputs(paths: Readonly<Record<string, string | null>>): void {
  for (const [option, path] of Object.entries(paths)) {
    if (path === null) continue
    try {
      accessSync(dirname(path), constants.W_OK | constants.X_OK)
    } catch {
      const rule = 'must be in a directory that is there and can be written to'
      throw new InvalidArgumentError(`--${option}`, path, rule)
    }
  }
}

/** A directory for a run that takes place on this machine. Throws InvalidArgumentError. */
export function localDirectory(option: string, data: string): string {
  if (!isCluster(data)) return machineDirectory(data)
  throw new InvalidArgumentError(option, data, 'must be a directory: this is not done on a cluster')
}

/** Writes the report, and prints it as JSON or as the lines that are given. */
export async function printResult(
  result: RunResult,
  options: BenchOptions,
  lines: readonly string[],
  io: CommandIo,
): Promise<void> {
  const { measurements = [], tasks = [], notes = [] } = result
  const report: RunReport = {
    schema: 'varve-bench/1',
    kind: result.kind,
    startedAt: new Date(result.startedMs).toISOString(),
    machine: describeMachine(machineDirectory(options.data)),
    conditions: result.conditions,
    measurements,
    tasks,
    notes,
  }
  if (options.report !== null) writeFileSync(options.report, htmlReport(report))
  const output = new LineOutput(io.stdout)
  if (options.json) output.json(report)
  else {
    for (const note of notes) output.line(note)
    output.line(machineLine(report.machine))
    for (const line of lines) output.line(line)
  }
  await output.flush()
}
