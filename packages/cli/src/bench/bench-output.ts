import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
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
