import { LogDirectory } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { DeliveryNotes, type NotedWindow } from '../../src/queues/delivery-notes.ts'
import type { QueueEntry } from '../../src/queues/queue-entry.ts'
import { QueueStateLog } from '../../src/queues/queue-state-log.ts'

function entryOf(offset: number, fields: Partial<QueueEntry> = {}): QueueEntry {
  return {
    offset,
    timestamp: 0,
    orderKey: null,
    sizeBytes: 0,
    expiresAt: Number.POSITIVE_INFINITY,
    record: null,
    state: 'available',
    deliveryCount: 0,
    availableAt: 0,
    isPostponed: false,
    turn: 0,
    ...fields,
  }
}

function windowOf(startOffset: number, endOffset: number, ...entries: QueueEntry[]): NotedWindow {
  const byOffset = new Map(entries.map((entry) => [entry.offset, entry]))
  return { startOffset, endOffset, entry: (offset) => byOffset.get(offset) }
}

async function openNotes() {
  const fs = new SimulatedFileSystem()
  const directory = await LogDirectory.open('/data', { fs, clock: new ManualClock() })
  const data = await directory.createLog('mail', 0)
  const log = await directory.createLog('queues', 0)
  for (let count = 0; count < 300; count++) await data.append({ value: 'x' }, { acks: 'written' })
  const load = async () =>
    new DeliveryNotes(data, (await QueueStateLog.load(log)).of('id'), 'mail', 0)
  return { directory, data, log, load }
}

test('what is noted is found again, in runs', async () => {
  const { directory, load } = await openNotes()
  const notes = await load()
  expect(notes.foundStart).toBeNull()
  const finished = { state: 'finished', deliveryCount: 1 } as const
  const window = windowOf(
    2,
    8,
    entryOf(3, finished),
    entryOf(4, finished),
    entryOf(5, { deliveryCount: 2 }),
    entryOf(6, { isPostponed: true, availableAt: 99 }),
    entryOf(7, { availableAt: 99 }),
  )
  await notes.note(4, window)
  const again = await load()
  expect(again.foundStart).toBe(2)
  const found = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((offset) => again.foundAt(offset))
  const done = { deliveryCount: null, availableAt: 0 }
  expect(found).toEqual([
    { firstOffset: 0, lastOffset: 1, ...done },
    { firstOffset: 0, lastOffset: 1, ...done },
    undefined,
    { firstOffset: 3, lastOffset: 4, ...done },
    { firstOffset: 3, lastOffset: 4, ...done },
    { firstOffset: 5, lastOffset: 5, deliveryCount: 2, availableAt: 0 },
    { firstOffset: 6, lastOffset: 6, deliveryCount: 0, availableAt: 99 },
    undefined,
    undefined,
  ])
  await directory.close()
})

test('records are durable before anything is noted of them for good', async () => {
  const { directory, data, load } = await openNotes()
  const notes = await load()
  expect(data.flushedOffset).toBe(0)
  await notes.noteDelivery(3, windowOf(0, 8, entryOf(3, { deliveryCount: 1 })))
  expect(data.flushedOffset).toBe(0)
  await notes.note(3, windowOf(0, 8, entryOf(3, { state: 'finished' })))
  expect(data.flushedOffset).toBeGreaterThan(3)
  await directory.close()
})

test('buckets below the start are forgotten, in the batch that moves it', async () => {
  const { directory, load, log } = await openNotes()
  const notes = await load()
  await notes.note(5, windowOf(0, 300, entryOf(5, { state: 'finished' })))
  await notes.note(290, windowOf(291, 300))
  const { batches } = await log.read({ from: log.highWatermark - 1 })
  const keys = [...(batches[0]?.records() ?? [])].map(({ value }) => value === null)
  expect(keys).toEqual([false, false, true])
  const again = await load()
  expect([again.foundStart, again.foundAt(5), again.foundAt(260)?.lastOffset]).toEqual([
    291,
    undefined,
    290,
  ])
  await notes.settled()
  await directory.close()
})
