import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { campaignScale, campaignShare, scaled } from '../../../record/test/campaign-scale.ts'
import { Random, seedFromEnvironment } from '../../src/testing/random.ts'
import { Campaign, type CampaignCounts } from './campaign.ts'
import { checkFault, countCalls, faultKinds } from './faults.ts'
import { scenarioGroups } from './scenarios.ts'

/** Of each scenario; with twenty of them at least 100,000 are opened. */
const distinctMin = scaled(5000)

const wholeRound = { variants: 6, nested: 4 }
/** Of a smaller campaign each of its rounds has a part, drawn from all moments of the scenario. */
const options =
  campaignScale < 1 ? { ...wholeRound, nested: 1, states: distinctMin / 3 } : wholeRound

/** The long form for one group of scenarios: a file each, so that they share the processors. */
export function crashCampaign(group: string): void {
  const scenarios = scenarioGroups[group] ?? []
  const seed = seedFromEnvironment(`crash campaign, ${group}`)
  const all: CampaignCounts[] = []

  afterAll(() => {
    const states = all.reduce((sum, { distinct }) => sum + distinct, 0)
    const generated = all.reduce((sum, { generated }) => sum + generated, 0)
    print(`${group}: ${states} distinct states of ${generated}, VARVE_SEED=${seed}`)
  })

  describe(`after a crash at any moment, ${group}`, () => {
    test.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))(
      `what was promised is kept: $name`,
      async ({ name, scenario }) => {
        const campaign = new Campaign(scenario, { ...options, seed: new Random(seed).next() })
        const started = performance.now()
        let rounds = 0
        while (campaign.counts.distinct < distinctMin) {
          await campaign.run()
          rounds += 1
        }
        const { counts } = campaign
        all.push(counts)
        const seconds = ((performance.now() - started) / 1000).toFixed(1)
        const depths = counts.byDepth.join(' + ')
        print(
          `${name}: ${counts.distinct} distinct states (${depths} by depth) of ${counts.generated},` +
            ` ${counts.operations} operations in ${rounds} rounds, ${seconds} s`,
        )
        expect(counts.distinct).toBeGreaterThanOrEqual(distinctMin)
      },
      600_000,
    )
  })
}

/**
 * The long form of the faults for one group: every call of every scenario fails with EIO, with
 * ENOSPC and with a short write where it can, and with one of the others, lasting ones among them.
 */
export function faultCampaign(group: string): void {
  const scenarios = scenarioGroups[group] ?? []
  const seed = seedFromEnvironment(`fault campaign, ${group}`)
  const always = faultKinds.filter((kind) => kind.isLasting !== true && kind.cache === undefined)
  const others = faultKinds.filter((kind) => !always.includes(kind))
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  beforeAll(() => void process.on('unhandledRejection', note))
  afterAll(() => void process.off('unhandledRejection', note))

  describe(`when any call of the file system fails, ${group}`, () => {
    test.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))(
      `the caller is told, and what was acknowledged is kept: $name`,
      async ({ name, scenario }) => {
        const calls = await countCalls(scenario, seed)
        const random = new Random(seed)
        const hits = { EIO: 0, ENOSPC: 0, short: 0 }
        let chosen = 0
        for (let after = 0; after < calls; after += 1) {
          for (const kind of [...always, others[after % others.length]]) {
            if (kind === undefined || !random.bool(campaignShare)) continue
            if (always.includes(kind) && kind.kind === 'EIO') chosen += 1
            const fault = { ...kind, after }
            const isHit = await checkFault(scenario, fault, seed).catch((cause: unknown) => {
              const replay = `VARVE_SEED=${seed} ${JSON.stringify(fault)}`
              throw new Error(`${replay}: ${cause instanceof Error ? cause.message : cause}`, {
                cause,
              })
            })
            if (isHit) hits[kind.kind] += 1
          }
        }
        const counts = Object.entries(hits).map(([kind, count]) => `${count} ${kind}`)
        print(`${name}: ${calls} calls, faults: ${counts.join(', ')}; VARVE_SEED=${seed}`)
        expect(hits.EIO).toBeGreaterThanOrEqual(chosen)
        if (campaignShare === 1) {
          expect(chosen).toBe(calls)
          expect(Math.min(hits.ENOSPC, hits.short)).toBeGreaterThan(0)
        }
        expect(unhandled).toEqual([])
      },
      600_000,
    )
  })
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
