import { medianOf } from '../harness/statistics.ts'
import type { ProcessGauges } from './process-gauges.ts'

/** How a process stood after so many operations. */
export interface SoakSample extends ProcessGauges {
  readonly operations: number
}

/** How one gauge went. */
export interface GaugeGrowth {
  readonly gauge: keyof ProcessGauges
  /** Over all that was judged, by the fitted slope; less than 0 where it fell. */
  readonly growth: number
  /** More than noise, and then it counts as a leak. */
  readonly allowed: number
  readonly perMillionOperations: number
  readonly last: number
  readonly isFlat: boolean
}

/** The samples at the beginning, while code is compiled and caches fill, are not judged. */
const warmUpPart = 0.3

/**
 * What growth over a whole run is put down to noise. So the longer the run the finer the judgement:
 * 2 MiB is 100 bytes for each of 20,000 records, and 0.8 for each of 2.5 million.
 *
 * Resident memory is V8's and the allocator's as well: pages that both keep for later.
 */
const allowances: Readonly<Record<keyof ProcessGauges, number>> = {
  heapUsedBytes: 2 * 2 ** 20,
  externalBytes: 2 * 2 ** 20,
  residentBytes: 24 * 2 ** 20,
  descriptors: 2,
  resources: 2,
}

/** Samples that a slope can be fitted to. */
const samplesMin = 8

/**
 * Whether a process that does the same again and again needs more and more for it. A line is fitted
 * to each gauge with the median of the slopes between all pairs of samples (Theil and Sen): a
 * sample that was taken at a bad moment does not move it, growth in every round does.
 */
export function judgeGrowth(samples: readonly SoakSample[]): readonly GaugeGrowth[] {
  const judged = samples.slice(Math.floor(samples.length * warmUpPart))
  const [first, last] = [judged[0], judged.at(-1)]
  if (first === undefined || last === undefined || judged.length < samplesMin) {
    throw new RangeError(`${judged.length} samples after the warm-up are too few to judge`)
  }
  const span = last.operations - first.operations
  return (Object.keys(allowances) as Array<keyof ProcessGauges>).map((gauge) => {
    const slope = slopeOf(judged.map((sample) => [sample.operations, sample[gauge]] as const))
    const allowed = allowances[gauge]
    return {
      gauge,
      growth: slope * span,
      allowed,
      perMillionOperations: slope * 1e6,
      last: last[gauge],
      isFlat: slope * span <= allowed,
    }
  })
}

function slopeOf(points: ReadonlyArray<readonly [at: number, value: number]>): number {
  const slopes = points.flatMap(([at, value], index) => {
    return points.slice(index + 1).map(([later, other]) => (other - value) / (later - at))
  })
  return medianOf(slopes)
}
