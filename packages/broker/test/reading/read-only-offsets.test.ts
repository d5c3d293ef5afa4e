import { expect, test } from 'vitest'
import { ReadOnlyError } from '../../src/reading/read-only-error.ts'
import { ReadOnlyOffsets } from '../../src/reading/read-only-offsets.ts'
import { dataPath, errorOf, newMachine, openOn } from '../broker-fixture.ts'

test('what a group has committed is found, in the order that was asked for', async () => {
  const machine = newMachine()
  const offsets = new ReadOnlyOffsets('g', dataPath, machine.fs)
  await using varve = await openOn(machine)
  const places = [2, 0, 1].map((partition) => ({ topic: 'a', partition }))
  expect(await offsets.fetch(places)).toEqual([null, null, null])
  await varve.createTopic('a', { partitions: 3 })
  const member = varve.consumer({ group: 'g', topics: ['a'] })
  await member.start()
  await member.commit([
    { topic: 'a', partition: 1, offset: 7 },
    { topic: 'a', partition: 2, offset: 9 },
  ])
  expect((await offsets.fetch(places)).map((found) => found?.offset)).toEqual([9, undefined, 7])
  await errorOf(offsets.commit(), ReadOnlyError)
  await errorOf(offsets.check(), ReadOnlyError)
})
