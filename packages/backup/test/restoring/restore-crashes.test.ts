import { Random, seedFromEnvironment } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { Interruption, interruptibles } from './interrupted.ts'

describe.each(interruptibles)('a restore $name', (work) => {
  // Undoing is a few renames.
  const share = work.name === 'undone' ? 0.5 : 0.03

  test('that a crash interrupts leaves what was, or what should be, whole', async () => {
    const random = new Random(seedFromEnvironment(`crashes ${work.name}`))
    const interruption = await Interruption.make(work, random)
    expect(await interruption.crashEverywhere(4, share)).toBeGreaterThan(10)
  })

  test('in which a call fails says so, and nothing is silently wrong', async () => {
    const random = new Random(seedFromEnvironment(`faults ${work.name}`))
    const interruption = await Interruption.make(work, random)
    // Of some hundred calls; whatever the seed, some of them are among the sample.
    const sample = Math.min(1, 3 * share)
    expect(await interruption.failEverywhere({ kind: 'EIO' }, sample)).toBeGreaterThan(2)
    expect(
      await interruption.failEverywhere({ kind: 'ENOSPC', isLasting: true }, sample),
    ).toBeGreaterThan(2)
  })
})
