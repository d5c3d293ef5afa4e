import { expect, test } from 'vitest'
import {
  ManualClock,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '../../src/testing/index.ts'
import { existingPath, openAndCheck } from './campaign.ts'
import { DirectoryLedger } from './ledger.ts'
import { Life } from './life.ts'

test('a replacement survives a killed process and then a power cut while it is finished', async () => {
  const seed = seedFromEnvironment('crash-twice.test.ts')
  const random = new Random(seed)
  const log = { segmentBytes: 900, indexIntervalBytes: 120 }
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed })
  fs.makeDirectories(existingPath)
  const ledger = new DirectoryLedger()
  const life = new Life({ fs, clock, ledger, operations: () => fs.operations, log })
  await life.open()
  await life.create('t')
  for (let round = 0; round < 5; round += 1) {
    life.append('t-0', 7)
    await life.settle()
  }
  const first = fs.operations
  await life.compact('t-0', { from: 0, to: 2 })
  const scenario = { name: 'replacing', log, run: async () => {} }
  const renames = fs.journal.findIndex(({ kind }, at) => kind === 'rename' && at >= first)
  let checked = 0
  for (let at = renames; at <= fs.operations; at += 1) {
    const expected = ledger.expectation(at, 'kill')
    const onPower = ledger.expectation(at, 'power')
    const next = { random, leaderEpoch: 50 }
    const recovery = await openAndCheck(fs.killState(at), { expected, onPower }, scenario, next)
    const directorySync = recovery.fs.journal.findIndex(
      ({ kind }, index) => kind === 'flushed' && index > at + 12,
    )
    for (let cut = at; cut <= directorySync; cut += 1) {
      const state = recovery.fs.crashState(cut, { mode: 'harsh', seed: random.next() })
      const again = recovery.expectation(cut, 'power')
      await openAndCheck(state, { expected: again, onPower: again }, scenario, {
        random,
        leaderEpoch: 51,
      })
      checked += 1
    }
  }
  expect(checked).toBeGreaterThan(100)
})

test('a recovery point that a killed process took back does not return after a power cut', async () => {
  const seed = seedFromEnvironment('crash-twice.test.ts')
  const random = new Random(seed)
  const log = { segmentBytes: 900, indexIntervalBytes: 120 }
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed })
  fs.makeDirectories(existingPath)
  const ledger = new DirectoryLedger()
  const life = new Life({ fs, clock, ledger, operations: () => fs.operations, log })
  await life.open()
  await life.create('t')
  life.append('t-0', 3)
  await life.settle()
  await life.roll('t-0')
  await life.directory.checkpoint()
  life.append('t-0', 3)
  await life.settle()
  await life.close()
  // The checkpoint says 3; of the 6 only the file that was just removed knew.
  const removed = fs.journal.findIndex(({ kind, path }) => {
    return kind === 'remove' && path.endsWith('/progress')
  })
  expect(removed).toBeGreaterThan(0)
  const at = removed + 1
  const expected = ledger.expectation(at, 'kill')
  const onPower = ledger.expectation(at, 'power')
  const scenario = { name: 'closing', log, run: async () => {} }
  const next = { random, leaderEpoch: 50 }
  const recovery = await openAndCheck(fs.killState(at), { expected, onPower }, scenario, next)
  for (let cut = at; cut <= recovery.fs.operations; cut += 1) {
    const again = recovery.expectation(cut, 'power')
    const state = recovery.fs.crashState(cut, 'dataOnly')
    const last = { random, leaderEpoch: 51 }
    await openAndCheck(state, { expected: again, onPower: again }, scenario, last)
  }
})
