import assert from 'node:assert/strict'
import { Bench } from 'tinybench'
import type { BenchmarkContext } from './benchmark.ts'
import { type Bar, type Figure, type Limit, type Unit, verdictOf } from './figure.ts'
import { hashOfNumbers } from './result-hash.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** A function that is short enough to be called thousands of times a second. */
export interface MicroTask {
  readonly name: string
  /** Does the work and returns something that depends on all of it, the same every time. */
  readonly run: () => number
  /** Operations in one call: the figure is the time of one of them. */
  readonly operations?: number
  /** Bytes that one call works through; then the figure is a rate. */
  readonly bytes?: number
  /** Name of the task that does the same with as little as possible. */
  readonly limit?: string
  readonly bar?: Bar
}

/**
 * Measures functions with tinybench, all of them in every round, so that a task and its limit meet
 * the same weather. A sample is the median of a round.
 */
export async function measureTasks(
  context: BenchmarkContext,
  tasks: readonly MicroTask[],
  conditions: Readonly<Record<string, string | number>> = {},
): Promise<readonly Figure[]> {
  const samples = new Map<string, number[]>(tasks.map(({ name }) => [name, []]))
  const hashes = new Map<string, string>(tasks.map(({ name, run }) => [name, hashOfNumbers(run())]))
  for (let round = 0; round < context.repeat; round++) {
    const bench = new Bench(
      context.isSmoke
        ? { time: 1, iterations: 1, warmup: false }
        : { time: 60, iterations: 10, warmupTime: round === 0 ? 100 : 20, warmupIterations: 5 },
    )
    for (const { name, run } of tasks) bench.add(name, () => void run())
    context.progress(`${tasks.length} tasks (${round + 1} of ${context.repeat})`)
    for (const { name, result } of await bench.run()) {
      assert.ok('latency' in result, `${name} ran`)
      samples.get(name)?.push(result.latency.p50)
    }
  }
  return tasks.map((task) => {
    assert.equal(hashOfNumbers(task.run()), hashes.get(task.name), `${task.name} has one result`)
    const value = valuesOf(task, samples)
    const limitTask = tasks.find(({ name }) => name === task.limit)
    const limit = limitTask === undefined ? null : limitOf(task, limitTask, value, samples)
    const { bar = null } = task
    return {
      name: task.name,
      unit: unitOf(task),
      value,
      limit,
      bar,
      verdict: bar === null ? null : verdictOf(bar, value, limit),
      hash: hashes.get(task.name) ?? '',
      conditions,
    }
  })
}

function unitOf({ bytes }: MicroTask): Unit {
  return bytes === undefined ? 'ns' : 'MB/s'
}

/** From milliseconds a call. */
function valuesOf(task: MicroTask, samples: ReadonlyMap<string, readonly number[]>): Spread {
  const { name, bytes, operations = 1 } = task
  const milliseconds = samples.get(name) ?? []
  return spreadOf(
    milliseconds.map((ms) => (bytes === undefined ? (ms * 1e6) / operations : bytes / ms / 1000)),
  )
}

function limitOf(
  task: MicroTask,
  limitTask: MicroTask,
  value: Spread,
  samples: ReadonlyMap<string, readonly number[]>,
): Limit {
  const limit = valuesOf(limitTask, samples)
  const reached = (one: number, other: number): number =>
    task.bytes === undefined ? other / one : one / other
  return {
    name: limitTask.name,
    value: limit,
    ratioOfMedians: reached(value.median, limit.median),
    pairwiseRatio: spreadOf(
      value.samples.map((one, index) => reached(one, limit.samples[index] ?? 0)),
    ),
  }
}
