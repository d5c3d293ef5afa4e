import { expect, test } from 'vitest'
import { TreeRemovals } from '../../src/segments/tree-removals.ts'
import { ManualClock, SimulatedFileSystem } from '../../src/testing/index.ts'

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

function setUp() {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  for (const name of ['a', 'b', 'c']) fs.writeBytes(`/d/${name}/file`, Buffer.from('x'))
  return { fs, clock, removals: new TreeRemovals(fs, clock), left: () => [...fs.list('/d')].sort() }
}

test('directories go when their time has come, each by itself', async () => {
  const { clock, removals, left } = setUp()
  removals.schedule('/d/a', 10)
  removals.schedule('/d/b', 20)
  clock.advance(10)
  await settled()
  expect(left()).toEqual(['b', 'c'])
  clock.advance(10)
  await settled()
  expect(left()).toEqual(['c'])
})

test('finishing removes what waits, and giving up leaves it', async () => {
  const { clock, removals, left } = setUp()
  removals.schedule('/d/a', 10)
  await removals.finish()
  expect(left()).toEqual(['b', 'c'])
  removals.schedule('/d/b', 10)
  await removals.giveUp()
  clock.advance(100)
  await settled()
  expect(left()).toEqual(['b', 'c'])
})

test('one that cannot be removed keeps no other from going', async () => {
  const { fs, removals, left } = setUp()
  removals.schedule('/d/a', 10)
  removals.schedule('/d/b', 10)
  fs.injectFault({ kind: 'EIO' })
  await removals.finish()
  expect(left()).toEqual(['a', 'c'])
})
