import type { Clock } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { spreadOf } from '../measuring/spread.ts'
import type { Conditions, TaskFigure } from '../report/run-report.ts'

/** What every run of tasks is given. */
export interface TaskContext {
  readonly clock: Clock
  /** How often everything is measured. */
  readonly repeat: number
  /** Told what is being done now. */
  readonly onProgress: (text: string) => void
  /** Ends the run before the next step. */
  readonly signal?: AbortSignal
}

export interface TaskFacts {
  readonly name: string
  readonly bytes: number
  readonly records: number | null
  readonly details: Conditions
}

/** Throws InvalidArgumentError. */
export function checkRepeat(repeat: number): void {
  if (Number.isSafeInteger(repeat) && repeat >= 1) return
  throw new InvalidArgumentError('repeat', repeat, 'must be an integer of 1 or more')
}

/** Seconds that `work` takes. Rejects when the run has been ended. */
export async function timed(
  { clock, signal }: Pick<TaskContext, 'clock' | 'signal'>,
  work: () => Promise<unknown>,
): Promise<number> {
  signal?.throwIfAborted()
  const startedMs = clock.monotonic()
  await work()
  return (clock.monotonic() - startedMs) / 1000
}

/** A figure of what took so many seconds, once for each repeat. */
export function taskFigure(facts: TaskFacts, seconds: readonly number[]): TaskFigure {
  const spread = spreadOf(seconds)
  return { ...facts, seconds: spread, megabytesPerSecond: facts.bytes / 1e6 / spread.median }
}
