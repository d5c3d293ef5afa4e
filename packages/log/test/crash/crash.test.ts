import { describe, expect, test } from 'vitest'
import { seedFromEnvironment } from '../../src/testing/random.ts'
import { Campaign } from './campaign.ts'
import { scenarios } from './scenarios.ts'

// The short form: every scenario, but only a few of its crash states, drawn anew each time.
// `npm run campaign` opens all of them.
const seed = seedFromEnvironment('crash.test.ts')

describe('after a crash at any moment', () => {
  test.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))(
    'what was promised is kept: $name',
    async ({ scenario }) => {
      const options = { seed, variants: 2, nested: 0.3, states: 40 }
      const counts = await new Campaign(scenario, options).run()
      expect(counts.distinct).toBeGreaterThan(10)
    },
  )
})
