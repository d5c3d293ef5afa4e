import fc from 'fast-check'

/** Replays a run: VARVE_SEED=… as printed by the failure. */
const seed = process.env['VARVE_SEED']

/** Checks a property on `runs` random inputs; a failure prints its seed and smallest input. */
export function checkProperty<T>(
  arbitrary: fc.Arbitrary<T>,
  runs: number,
  check: (input: T) => void,
): void {
  fc.assert(
    fc.property(arbitrary, (input) => {
      check(input)
    }),
    { numRuns: runs, ...(seed !== undefined && { seed: Number(seed) }) },
  )
}
