/** Repeated measurements of one thing. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  /** In the order in which they were taken. */
  readonly samples: readonly number[]
}

export function spreadOf(samples: readonly number[]): Spread {
  return {
    median: medianOf(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    samples,
  }
}

/** Of an even number, the mean of the two in the middle; NaN of none. */
export function medianOf(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >>> 1] ?? Number.NaN
  if (sorted.length % 2 === 1) return upper
  return ((sorted[(sorted.length >>> 1) - 1] ?? Number.NaN) + upper) / 2
}
