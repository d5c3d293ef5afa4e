import { LogDirectory } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { DeliveryExpiredError } from '../../src/queues/queue-errors.ts'
import { QueuePartition } from '../../src/queues/queue-partition.ts'
import type { QueuePartitionContext } from '../../src/queues/queue-partition-context.ts'
import { QueueStateLog } from '../../src/queues/queue-state-log.ts'

async function openPartition(settings: Partial<QueuePartitionContext> = {}) {
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem()
  const directory = await LogDirectory.open('/data', { fs, clock })
  const log = await directory.createLog('mail', 0)
  const states = await QueueStateLog.load(await directory.createLog('queues', 0))
  const troubles: unknown[] = []
  const failures: unknown[] = []
  const partition = new QueuePartition({
    queue: 'mail',
    topic: 'mail',
    partition: 0,
    log,
    state: states.of('id'),
    clock,
    isOrdered: false,
    maxDeliveries: 2,
    windowRecords: 100,
    windowBytes: 1000,
    recordTtlMs: () => -1,
    deadLetter: null,
    ready: () => undefined,
    freed: () => undefined,
    troubled: (error) => troubles.push(error),
    failed: (error) => failures.push(error),
    ...settings,
  })
  await partition.open('earliest')
  await log.append([{ value: 'a' }, { value: 'b' }])
  const turns = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }
  await turns()
  const close = async () => {
    await partition.close()
    await directory.close()
  }
  return { partition, clock, directory, turns, troubles, failures, close }
}

test('a lock that is extended holds on, and the old one is void', async () => {
  const { partition, clock, close } = await openPartition()
  const lock = partition.take(100)
  if (lock === null) throw new Error('nothing to take')
  const turn = partition.extend(lock.entry, lock.turn, 500)
  await expect(partition.acknowledge(lock.entry, lock.turn)).rejects.toThrow(DeliveryExpiredError)
  clock.advance(499)
  expect([partition.acquired, partition.length]).toEqual([1, 2])
  await partition.acknowledge(lock.entry, turn)
  expect([partition.acquired, partition.length, partition.startOffset]).toEqual([0, 1, 1])
  await close()
})

test('a record that nobody takes over from its last delivery is told of, and offered again', async () => {
  let isBroken = true
  const { partition, clock, turns, troubles, close } = await openPartition({
    maxDeliveries: 1,
    deadLetter: async () => {
      if (isBroken) throw new Error('no room')
    },
  })
  partition.take(100)
  clock.advance(100)
  await turns()
  expect(troubles).toMatchObject([{ message: 'no room' }])
  isBroken = false
  expect(partition.length).toBe(2)
  clock.advance(1000)
  expect(partition.take(100)?.entry.offset).toBe(0)
  clock.advance(100)
  await turns()
  expect([partition.length, partition.startOffset]).toEqual([1, 1])
  await close()
})

test('a log that is closed beneath it ends it with the reason', async () => {
  const { partition, directory, turns, failures } = await openPartition()
  await directory.close()
  await turns()
  expect(failures).toMatchObject([{ code: 'VARVE_LOG_CLOSED' }])
  await partition.close()
})
