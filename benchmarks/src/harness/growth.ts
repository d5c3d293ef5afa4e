import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import type { BenchmarkContext } from './benchmark.ts'
import type { Sample } from './contest.ts'
import { type Figure, type Unit, verdictOf } from './figure.ts'
import { fitPowerLaw } from './line-fit.ts'
import { hashOfTexts } from './result-hash.ts'
import { spreadOf } from './statistics.ts'

/** One of the things that are measured at every size. */
export interface Curve<Scene> {
  readonly name: string
  /** A cost: more is worse. */
  readonly unit: Exclude<Unit, `${string}/s`>
  /** What is asked of the exponent that is fitted. Default: nothing. */
  readonly exponentAtMost?: number
  measure(scene: Scene, size: number): Promise<Sample>
}

/** Something that grows, and what it costs. */
export interface Growth<Scene> {
  /** What there is more and more of. */
  readonly along: string
  /** From small to large. */
  readonly sizes: readonly number[]
  readonly curves: readonly Curve<Scene>[]
  readonly conditions: Readonly<Record<string, string | number>>
  /** Makes what is measured, in a directory that is there. */
  prepare(size: number, path: string): Promise<Scene>
  close(scene: Scene): Promise<void>
}

/**
 * Measures each curve at every size, all sizes in every round, and fits a power law to each round:
 * its exponent says how the cost grows, 0 where it does not and 1 where it does as the size.
 */
export async function holdGrowth<Scene>(
  context: BenchmarkContext,
  growth: Growth<Scene>,
): Promise<readonly Figure[]> {
  return await context.withDirectory(async (directory) => {
    const scenes: { readonly size: number; readonly scene: Scene }[] = []
    try {
      for (const size of growth.sizes) {
        context.progress(`making ${size} ${growth.along}`)
        const path = `${directory}/${size}`
        mkdirSync(path, { recursive: true })
        scenes.push({ size, scene: await growth.prepare(size, path) })
      }
      const figures: Figure[] = []
      for (const curve of growth.curves) {
        if (!context.isWanted(curve.name)) continue
        figures.push(...(await measureCurve(context, growth, curve, scenes)))
      }
      return figures
    } finally {
      for (const { scene } of scenes) await growth.close(scene)
    }
  })
}

async function measureCurve<Scene>(
  context: BenchmarkContext,
  { along, conditions }: Growth<Scene>,
  curve: Curve<Scene>,
  scenes: readonly { readonly size: number; readonly scene: Scene }[],
): Promise<readonly Figure[]> {
  const samples = scenes.map((): Sample[] => [])
  const warmUps = context.isSmoke ? 0 : 1
  for (let round = -warmUps; round < context.repeat; round++) {
    context.progress(`${curve.name} (${Math.max(round + 1, 0)} of ${context.repeat})`)
    for (const [index, { size, scene }] of scenes.entries()) {
      const sample = await curve.measure(scene, size)
      if (round >= 0) samples[index]?.push(sample)
    }
  }
  const rest = { unit: curve.unit, limit: null, bar: null, verdict: null, conditions }
  const figures = scenes.map(({ size }, index): Figure => {
    const own = samples[index] ?? []
    const hashes = new Set(own.map(({ hash }) => hash))
    assert.equal(hashes.size, 1, `${curve.name}: every repeat has the same result`)
    return {
      ...rest,
      name: `${curve.name}, ${amountText(size)} ${along}`,
      value: spreadOf(own.map(({ value }) => value)),
      hash: [...hashes].join(),
      plot: { curve: curve.name, along, at: size },
    }
  })
  const hash = hashOfTexts(...figures.map((figure) => figure.hash))
  return [...figures, { ...exponentOf(curve, scenes, samples, conditions), hash }]
}

function exponentOf<Scene>(
  { name, exponentAtMost }: Curve<Scene>,
  scenes: readonly { readonly size: number }[],
  samples: readonly (readonly Sample[])[],
  conditions: Figure['conditions'],
): Omit<Figure, 'hash'> {
  const rounds = samples[0]?.length ?? 0
  const exponents = Array.from({ length: rounds }, (_, round) => {
    const points = scenes.map(({ size }, index): readonly [number, number] => {
      return [size, samples[index]?.[round]?.value ?? Number.NaN]
    })
    return fitPowerLaw(points).exponent
  })
  const value = spreadOf(exponents)
  const bar =
    exponentAtMost === undefined ? null : ({ kind: 'value', atMost: exponentAtMost } as const)
  return {
    name: `${name}: exponent`,
    unit: 'exponent',
    value,
    limit: null,
    bar,
    verdict: bar === null ? null : verdictOf(bar, value, null),
    conditions,
  }
}

function amountText(amount: number): string {
  return amount >= 10_000 ? amount.toExponential(1).replace('e+', 'e') : String(amount)
}
