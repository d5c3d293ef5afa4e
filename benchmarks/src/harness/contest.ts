import assert from 'node:assert/strict'
import type { BenchmarkContext } from './benchmark.ts'
import {
  type Aside,
  type Bar,
  type Figure,
  type Limit,
  type PlotPoint,
  type Unit,
  verdictOf,
} from './figure.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** One measurement. */
export interface Sample {
  /** In the contest's unit. */
  readonly value: number
  /**
   * Of what was written or read: that of the limit is the same. Null where another's program picks
   * what it writes and only counts what it reads, so that there is nothing to compare.
   */
  readonly hash: string | null
  /** What else was seen meanwhile, each with its unit in its name. */
  readonly aside?: Readonly<Record<string, number>>
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
  /** Where its figure stands in a plot. */
  readonly plot?: PlotPoint
}

/** A contender that the measured one is set beside, and what is asked of it there. */
export interface Rival extends Contender {
  readonly bar?: Bar
}

/** The same work done by several. */
export interface Field {
  readonly name: string
  readonly unit: Unit
  readonly measured: Contender
  readonly rivals: readonly Rival[]
  /** One of the rivals that is ours too, and is set beside others of them. */
  readonly second?: { readonly measured: Contender; readonly rivals: readonly Rival[] }
  readonly conditions?: Readonly<Record<string, string | number>>
  readonly plot?: PlotPoint
}

/**
 * Measures something and its limit in turns (A B A B …), so that both meet the same weather: a
 * neighbour on the machine, a disk that is busy. The first round warms up and is not counted.
 */
export async function hold(context: BenchmarkContext, contest: Contest): Promise<Figure> {
  const { name, unit, measured, limit, bar, conditions = {}, plot } = contest
  const contenders = limit === undefined ? [measured] : [limit, measured]
  const results = await takeTurns(context, name, contenders)
  const rest = { name, unit, conditions, ...(plot !== undefined && { plot }) }
  const against = limit === undefined ? null : resultOf(results, limit)
  return figureOf(rest, resultOf(results, measured), against, bar ?? null)
}

/**
 * The same of several: all take turns (A B C A B C …), beginning with another one each round, and
 * there is a figure for each rival, with the measured one beside it.
 */
export async function holdField(
  context: BenchmarkContext,
  field: Field,
): Promise<readonly Figure[]> {
  const { name, unit, measured, rivals, second, conditions = {}, plot } = field
  const results = await takeTurns(context, name, [measured, ...rivals])
  const figures = rivals.map((rival) => {
    const title = `${name}, beside ${rival.name}`
    const rest = { name: title, unit, conditions, ...(plot !== undefined && { plot }) }
    return figureOf(rest, resultOf(results, measured), resultOf(results, rival), rival.bar ?? null)
  })
  if (second === undefined) return figures
  const own = resultNamed(results, second.measured.name)
  const others = second.rivals.map((rival) => {
    const rest = {
      name: `${name}: ${second.measured.name}, beside ${rival.name}`,
      unit,
      conditions,
    }
    return figureOf(rest, own, resultNamed(results, rival.name), rival.bar ?? null)
  })
  return [...figures, ...others]
}

interface Result {
  readonly contender: Contender
  readonly values: readonly number[]
  readonly asides: readonly Readonly<Record<string, number>>[]
  readonly hash: string
}

async function takeTurns(
  context: BenchmarkContext,
  name: string,
  contenders: readonly Contender[],
): Promise<readonly Result[]> {
  const samples = contenders.map((): Sample[] => [])
  const hashes = new Set<string>()
  const warmUps = context.isSmoke ? 0 : 1
  for (let round = -warmUps; round < context.repeat; round++) {
    context.progress(`${name} (${Math.max(round + 1, 0)} of ${context.repeat})`)
    for (let turn = 0; turn < contenders.length; turn++) {
      // Two keep their order: each has the other before it anyway.
      const first = contenders.length > 2 ? round + warmUps : 0
      const index = (first + turn) % contenders.length
      const sample = await measureOnce(contenders[index] as Contender)
      if (sample.hash !== null) hashes.add(sample.hash)
      if (round >= 0) samples[index]?.push(sample)
    }
  }
  assert.equal(hashes.size, 1, `${name}: every repeat, of the limit too, has the same result`)
  return contenders.map((contender, index) => {
    const own = samples[index] ?? []
    const values = own.map(({ value }) => value)
    return {
      contender,
      values,
      asides: own.map(({ aside = {} }) => aside),
      hash: [...hashes].join(),
    }
  })
}

/** Of one that took part as a rival. */
function resultNamed(results: readonly Result[], name: string): Result {
  const found = results.find((result) => result.contender.name === name)
  assert.ok(found !== undefined, 'every contender was measured')
  return found
}

function resultOf(results: readonly Result[], contender: Contender): Result {
  const found = results.find((result) => result.contender === contender)
  assert.ok(found !== undefined, 'every contender was measured')
  return found
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

function figureOf(
  rest: Pick<Figure, 'name' | 'unit' | 'conditions' | 'plot'>,
  result: Result,
  against: Result | null,
  bar: Bar | null,
): Figure {
  const value = spreadOf(result.values)
  const limit = against === null ? null : limitOf(rest.unit, result, against)
  const aside = asidesOf(result, against)
  return {
    ...rest,
    value,
    limit,
    bar,
    verdict: bar === null ? null : verdictOf(bar, value, limit),
    hash: result.hash,
    ...(aside.length > 0 && { aside }),
  }
}

function limitOf(unit: Unit, { values }: Result, against: Result): Limit {
  const reached = (value: number, limit: number): number =>
    isRate(unit) ? value / limit : limit / value
  const value = spreadOf(against.values)
  return {
    name: against.contender.name,
    value,
    ratioOfMedians: reached(spreadOf(values).median, value.median),
    pairwiseRatio: spreadOf(values.map((one, index) => reached(one, against.values[index] ?? 0))),
  }
}

function asidesOf(result: Result, against: Result | null): readonly Aside[] {
  const names = Object.keys(result.asides[0] ?? {})
  const spread = (from: Result, name: string): Spread =>
    spreadOf(from.asides.map((aside) => aside[name] ?? Number.NaN))
  return names.map((name) => {
    return {
      name,
      value: spread(result, name),
      limit: against === null ? null : spread(against, name),
    }
  })
}

/** Seconds that `work` takes. */
export async function secondsOf(work: () => void | Promise<void>): Promise<number> {
  const started = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - started) / 1e9
}
