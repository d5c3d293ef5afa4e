import assert from 'node:assert/strict'
import type { BenchmarkContext } from './benchmark.ts'
import { type Bar, type Figure, type Limit, type Unit, verdictOf } from './figure.ts'
import { spreadOf } from './statistics.ts'

/** One measurement. */
export interface Sample {
  /** In the contest's unit. */
  readonly value: number
  /** Of what was written or read: that of the limit is the same. */
  readonly hash: string
}

/** Prepares, measures once, checks the result, and cleans up. */
export interface Contender {
  readonly name: string
  measure(): Promise<Sample>
}

export interface Contest {
  readonly name: string
  readonly unit: Unit
  readonly measured: Contender
  readonly limit?: Contender
  readonly bar?: Bar
  readonly conditions?: Readonly<Record<string, string | number>>
}

/**
 * Measures something and its limit in turns (A B A B …), so that both meet the same weather: a
 * neighbour on the machine, a disk that is busy. The first round warms up and is not counted.
 */
export async function hold(context: BenchmarkContext, contest: Contest): Promise<Figure> {
  const { name, unit, measured, limit, bar, conditions = {} } = contest
  const values: number[] = []
  const limitValues: number[] = []
  const hashes = new Set<string>()
  const warmUps = context.isSmoke ? 0 : 1
  for (let round = -warmUps; round < context.repeat; round++) {
    context.progress(`${name} (${Math.max(round + 1, 0)} of ${context.repeat})`)
    if (limit !== undefined) {
      const sample = await measureOnce(limit)
      hashes.add(sample.hash)
      if (round >= 0) limitValues.push(sample.value)
    }
    const sample = await measureOnce(measured)
    hashes.add(sample.hash)
    if (round >= 0) values.push(sample.value)
  }
  assert.equal(hashes.size, 1, `${name}: every repeat, of the limit too, has the same result`)
  const value = spreadOf(values)
  const against = limit === undefined ? null : limitOf(limit.name, unit, values, limitValues)
  return {
    name,
    unit,
    value,
    limit: against,
    bar: bar ?? null,
    verdict: bar === undefined ? null : verdictOf(bar, value, against),
    hash: [...hashes].join(),
    conditions,
  }
}

async function measureOnce(contender: Contender): Promise<Sample> {
  const sample = await contender.measure()
  assert.ok(sample.value > 0 && Number.isFinite(sample.value), `${contender.name} took some time`)
  return sample
}

/** Units of work a second: more is better. Otherwise less is. */
export function isRate(unit: Unit): boolean {
  return unit.endsWith('/s')
}

function limitOf(
  name: string,
  unit: Unit,
  values: readonly number[],
  limitValues: readonly number[],
): Limit {
  const reached = (value: number, limit: number): number =>
    isRate(unit) ? value / limit : limit / value
  const value = spreadOf(limitValues)
  return {
    name,
    value,
    ratioOfMedians: reached(spreadOf(values).median, value.median),
    pairwiseRatio: spreadOf(values.map((one, index) => reached(one, limitValues[index] ?? 0))),
  }
}

/** Seconds that `work` takes. */
export async function secondsOf(work: () => void | Promise<void>): Promise<number> {
  const started = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - started) / 1e9
}
