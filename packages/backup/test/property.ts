import fc from 'fast-check'

/** Replays a run: VARVE_SEED=… as printed by the failure. */
const seed = process.env['VARVE_SEED']

/** Checks a property on `runs` random inputs; a failure prints its seed and smallest input. */
export async function checkProperty<T>(
  arbitrary: fc.Arbitrary<T>,
  runs: number,
  check: (input: T) => Promise<void> | void,
): Promise<void> {
  const property = fc.asyncProperty(arbitrary, async (input) => {
    await check(input)
  })
  await fc.assert(property, {
    numRuns: runs,
    ...(seed !== undefined && seed !== '' && { seed: Number(seed) }),
  })
}
