import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random, seedFromEnvironment } from '../../src/testing/random.ts'
import { checkFault, countCalls, faultKinds } from './faults.ts'
import { scenarios } from './scenarios.ts'

// The short form: every scenario, a few of its calls. `npm run campaign` fails each of them.
const seed = seedFromEnvironment('faults.test.ts')
const faultsPerScenario = 8

describe('when a call of the file system fails', () => {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  beforeAll(() => void process.on('unhandledRejection', note))
  afterAll(() => void process.off('unhandledRejection', note))

  test.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))(
    'the caller is told, and what was acknowledged is kept: $name',
    async ({ scenario }) => {
      const random = new Random(seed)
      const calls = await countCalls(scenario, seed)
      let hits = 0
      for (let number = 0; number < faultsPerScenario; number += 1) {
        const kind = faultKinds[number % faultKinds.length]
        if (kind === undefined) continue
        const fault = { ...kind, after: random.int(calls) }
        const told = `VARVE_SEED=${seed} ${JSON.stringify(fault)}`
        const isHit = await checkFault(scenario, fault, seed).catch((cause: unknown) => {
          throw new Error(`${told}: ${cause instanceof Error ? cause.message : cause}`, { cause })
        })
        if (isHit) hits += 1
      }
      expect(hits).toBeGreaterThan(0)
      expect(unhandled).toEqual([])
    },
  )
})
