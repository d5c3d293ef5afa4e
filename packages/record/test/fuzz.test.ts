import { expect, test } from 'vitest'
import { fuzz, fuzzSeed } from './fuzz/fuzz-target.ts'
import { recordTargets } from './fuzz/record-targets.ts'

// The short form; fuzz.campaign.ts reads millions.
test('hostile bytes end in records or a typed error, soon', async () => {
  const seed = fuzzSeed('fuzz of the record package')
  const report = await fuzz(recordTargets, { seed, inputs: 8_000 })
  expect([...report.inputsByTarget.keys()].sort()).toEqual(
    recordTargets.map(({ name }) => name).sort(),
  )
})
