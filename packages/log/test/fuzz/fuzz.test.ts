import { test } from 'vitest'
import { fuzz, fuzzSeed } from '../../../record/test/fuzz/fuzz-target.ts'
import { directoryTarget } from './directory-target.ts'
import { fileTargets } from './file-targets.ts'

// The short forms; fuzz.campaign.ts reads millions.

test('files of hostile bytes end in what they hold or a typed error', async () => {
  const seed = fuzzSeed('fuzz of the files of a log')
  await fuzz(fileTargets, { seed, inputs: 8000 })
})

test('directories of hostile files open, or fail to with a typed error', async () => {
  const seed = fuzzSeed('fuzz of data directories')
  await fuzz([await directoryTarget()], { seed, inputs: 60 })
})
