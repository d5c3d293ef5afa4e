import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
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
  const seen = new Map<string, string>()
  for (const [option, path] of Object.entries(paths)) {
    if (path === null) continue
    const refuse = (rule: string): never => {
      throw new InvalidArgumentError(`--${option}`, path, rule)
    }
    const full = resolve(path)
    const other = seen.get(full)
    if (other !== undefined) refuse(`must be another file than --${other}`)
    seen.set(full, option)
    if (path === '' || isDirectory(path)) refuse('must be a file')
    if (!isWritable(existsSync(path) ? path : dirname(path))) {
      refuse('must be in a directory that is there and can be written to')
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function isWritable(path: string): boolean {
  try {
    // A directory is written to by entering it.
    accessSync(path, isDirectory(path) ? constants.W_OK | constants.X_OK : constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** A directory for a run that takes place on this machine. Throws InvalidArgumentError. */
export function localDirectory(option: string, data: string): string {
  if (!isCluster(data)) return machineDirectory(data)
  throw new InvalidArgumentError(option, data, 'must be a directory: this is not done on a cluster')
}

/** Prints the report, as JSON or as the lines that are given, and writes its page. */
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
  const output = new LineOutput(io.stdout)
  if (options.json) output.json(report)
  else {
    for (const note of notes) output.line(note)
    output.line(machineLine(report.machine))
    for (const line of lines) output.line(line)
  }
  await output.flush()
  // Last: a disk that is full by now takes nothing from the figures.
  if (options.report !== null) writeFileSync(options.report, htmlReport(report))
}
