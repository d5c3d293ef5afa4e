import { Random, seedFromEnvironment } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { campaignShare } from '../../../record/test/campaign-scale.ts'
import { Interruption, interruptibles } from './interrupted.ts'

/** A part is drawn: it may be smaller, and miss the few calls that need space. */
const [statesMin, hitsMin] = campaignShare < 1 ? [250 * campaignShare, 0] : [500, 1]

describe.each(interruptibles)('a restore $name', (work) => {
  test('that is interrupted anywhere leaves what was, or what should be, whole', async () => {
    const random = new Random(seedFromEnvironment(`crashes ${work.name}`))
    const interruption = await Interruption.make(work, random)
    expect(await interruption.crashEverywhere(6, campaignShare)).toBeGreaterThan(statesMin)
  })

  test.each([
    { kind: 'EIO' },
    { kind: 'EIO', isLasting: true },
    { kind: 'EIO', cache: 'dropped' },
    { kind: 'ENOSPC' },
    { kind: 'ENOSPC', isLasting: true },
    { kind: 'short' },
  ] as const)('in which any call fails ($kind) says so', async (fault) => {
    const random = new Random(seedFromEnvironment(`faults ${work.name}`))
    const interruption = await Interruption.make(work, random)
    expect(await interruption.failEverywhere(fault, campaignShare)).toBeGreaterThanOrEqual(hitsMin)
  })
})
