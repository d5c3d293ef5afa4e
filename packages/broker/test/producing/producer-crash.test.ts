import {
  crashVariants,
  describeVariant,
  ManualClock,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { expect, test } from 'vitest'
import { newMachine, openOn, valuesOf } from '../broker-fixture.ts'

const count = 24

/** What a program that copies a source does, again and again: sends what is not there yet. */
test('what is sent with source offsets is there once, whenever the power is cut', async () => {
  const seed = seedFromEnvironment('crashes of a named producer')
  const random = new Random(seed)
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed, turnsMax: 3 })
  const varve = await openOn({ fs, clock })
  await varve.createTopic('t', { segmentBytes: 700 })
  const start = fs.operations
  const producer = varve.producer({ name: 'copier' })
  /** Operations of the file system when each was acknowledged. */
  const acknowledged: number[] = []
  for (let sent = 0; sent < count; ) {
    const together = Math.min(random.between(1, 5), count - sent)
    const sends = Array.from({ length: together }, (_, index) => {
      const sourceOffset = sent + index
      const record = { key: 'k', value: `${sourceOffset}` }
      return producer.send('t', record, { sourceOffset }).then(() => {
        acknowledged[sourceOffset] = fs.operations
      })
    })
    await Promise.all(sends)
    sent += together
  }
  const end = fs.operations
  let states = 0
  for (let at = start; at <= end; at++) {
    for (const variant of crashVariants(random, 2)) {
      if (!random.bool(0.15)) continue
      const what = `VARVE_SEED=${seed} operation ${at}, ${describeVariant(variant)}`
      await using again = await openOn(newMachine(fs.crashState(at, variant)))
      const next = again.producer({ name: 'copier' })
      const last = await next.lastSourceOffset('t', 0)
      const promised = acknowledged.findLastIndex((operations) => operations <= at)
      expect(last, what).toBeGreaterThanOrEqual(promised)
      // It does not know how far it had come, and begins a little before.
      for (let sourceOffset = Math.max(0, promised - 2); sourceOffset < count; sourceOffset++) {
        await next.send('t', { key: 'k', value: `${sourceOffset}` }, { sourceOffset })
      }
      const expected = Array.from({ length: count }, (_, index) => `${index}`)
      expect(await valuesOf(again.log('t', 0)), what).toEqual(expected)
      states++
    }
  }
  await varve.close()
  expect(states).toBeGreaterThan(20)
})
