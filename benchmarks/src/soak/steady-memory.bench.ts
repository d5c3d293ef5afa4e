import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Figure, type Unit, verdictOf } from '../harness/figure.ts'
import { spreadOf } from '../harness/statistics.ts'
import { type GaugeGrowth, judgeGrowth } from './growth-judge.ts'
import type { SoakOptions, SoakResult } from './soak.ts'

const entryPath = fileURLToPath(new URL('./soak-process.js', import.meta.url))
const execute = promisify(execFile)

/** How a gauge is told. */
const tellings: Readonly<
  Record<GaugeGrowth['gauge'], { readonly name: string; readonly unit: Unit; readonly per: number }>
> = {
  heapUsedBytes: { name: 'heap after a collection', unit: 'MiB', per: 2 ** 20 },
  externalBytes: { name: 'memory of buffers', unit: 'MiB', per: 2 ** 20 },
  residentBytes: { name: 'resident memory', unit: 'MiB', per: 2 ** 20 },
  descriptors: { name: 'open descriptors', unit: 'count', per: 1 },
  resources: { name: 'timers, requests and ports', unit: 'count', per: 1 },
}

/**
 * Full, as many records as an hour has at 1,000 a second. Each is appended once and read at least
 * three times: by two followers, by a group whose members come and go, and some from the start.
 */
const hour = 3_600_000

export const steadyMemory: Benchmark = {
  name: 'steady-memory',
  summary:
    'growth of a process that does the same in rounds, of everything a little; fails on a leak',
  async run(context) {
    const rounds = context.size(80, 20)
    const recordsPerRound = context.size(hour / 80, 1_500)
    const { samples, hash } = await soakInOwnProcess(context, { rounds, recordsPerRound })
    const growths = judgeGrowth(samples)
    const leaking = growths.filter(({ isFlat }) => !isFlat)
    if (leaking.length > 0) throw new Error(`something leaks: ${leaking.map(textOf).join('; ')}`)
    const operations = samples.at(-1)?.operations ?? 0
    return growths.map((growth) => figureOf(growth, hash, rounds, operations))
  },
}

function soakInOwnProcess(
  context: BenchmarkContext,
  options: Omit<SoakOptions, 'path'>,
): Promise<SoakResult> {
  return context.withDirectory(async (path) => {
    context.progress(`${options.rounds} rounds of ${options.recordsPerRound} records`)
    const { stdout } = await execute(process.execPath, [
      entryPath,
      JSON.stringify({ ...options, path }),
    ])
    return JSON.parse(stdout) as SoakResult
  })
}

function textOf({ gauge, growth, allowed, perMillionOperations, last }: GaugeGrowth): string {
  const { name, unit, per } = tellings[gauge]
  const [grown, most, rate, end] = [growth, allowed, perMillionOperations, last].map((value) => {
    return (value / per).toFixed(1)
  })
  const noise = `(${most} count as noise)`
  return `${name} grew by ${grown} ${unit} to ${end} ${noise}: ${rate} a million records`
}

function figureOf(
  { gauge, growth, allowed, last }: GaugeGrowth,
  hash: string,
  ...of: [number, number]
): Figure {
  const { name, unit, per } = tellings[gauge]
  const [rounds, operations] = of
  const value = spreadOf([growth / per])
  const bar = { kind: 'value', atMost: allowed / per } as const
  return {
    name: `${name}: growth`,
    unit,
    value,
    limit: null,
    bar,
    verdict: verdictOf(bar, value, null),
    hash,
    conditions: {
      records: operations,
      rounds,
      [`${name} at the end`]: `${(last / per).toFixed(1)} ${unit}`,
      fitted: 'over the last 70 % of the rounds, the median of the slopes between all pairs',
    },
  }
}
