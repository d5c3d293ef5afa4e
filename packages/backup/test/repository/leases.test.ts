import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { LeaseLostError, RepositoryBusyError } from '../../src/base/backup-errors.ts'
import { Lease } from '../../src/repository/leases.ts'
import { keysOf } from '../backup-fixture.ts'
import { MemoryTarget } from '../memory-target.ts'

function newStore() {
  const clock = new ManualClock()
  return { clock, target: new MemoryTarget(clock) }
}

const minuteMs = 60_000

async function pass(clock: ManualClock, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    clock.advance(minuteMs)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}

test('any number may add, and one may remove alone', async () => {
  const { clock, target } = newStore()
  const first = await Lease.take('backup', target, clock)
  const second = await Lease.take('backup', target, clock)
  await expect(Lease.take('sweep', target, clock)).rejects.toThrow(RepositoryBusyError)
  await first.release()
  await second.release()
  const sweep = await Lease.take('sweep', target, clock)
  for (const kind of ['backup', 'sweep'] as const) {
    await expect(Lease.take(kind, target, clock)).rejects.toThrow(RepositoryBusyError)
  }
  await sweep.release()
  await sweep.release()
  expect(await keysOf(target)).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})

test('of two who want different things at once, not both get it', async () => {
  const { clock, target } = newStore()
  target.onCall = async () => new Promise((resolve) => setImmediate(resolve))
  const taken = await Promise.allSettled([
    Lease.take('backup', target, clock),
    Lease.take('sweep', target, clock),
  ])
  expect(taken.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(2)
})

test('a lease lasts as long as its holder lives, and then fifteen minutes', async () => {
  const { clock, target } = newStore()
  const lease = await Lease.take('backup', target, clock)
  await pass(clock, 60)
  await lease.confirm()
  await expect(Lease.take('sweep', target, clock)).rejects.toThrow(RepositoryBusyError)
  // Its holder stands still: nothing is written for it any more.
  const [key = ''] = await keysOf(target)
  const standing = new MemoryTarget(clock)
  await standing.put(key, Buffer.from('backup\n'))
  await pass(clock, 14)
  await expect(Lease.take('sweep', standing, clock)).rejects.toThrow(RepositoryBusyError)
  await pass(clock, 2)
  await (await Lease.take('sweep', standing, clock)).release()
  expect(await keysOf(standing)).toEqual([])
  await lease.release()
})

test('who was counted as gone learns of it', async () => {
  const { clock, target } = newStore()
  const lease = await Lease.take('backup', target, clock)
  for (const key of await keysOf(target)) await target.remove(key)
  await expect(lease.confirm()).rejects.toThrow(LeaseLostError)
  await lease.release()
})

test('who could not renew for long learns of it', async () => {
  const { clock, target } = newStore()
  const lease = await Lease.take('backup', target, clock)
  target.onCall = (call) => {
    if (call === 'put') throw new Error('the line is broken')
  }
  await pass(clock, 16)
  await expect(lease.confirm()).rejects.toThrow(LeaseLostError)
  target.onCall = () => {}
  await pass(clock, 2)
  await lease.release()
  expect(clock.pendingTimers).toBe(0)
})
