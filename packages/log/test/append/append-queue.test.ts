import { BatchEncoder } from '@varve/record'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AppendGroup, AppendQueue, batchOf } from '../../src/append/append-queue.ts'
import { AppendQueueFullError, BatchTooLargeError } from '../../src/base/log-errors.ts'
import { type LogOptions, resolveLogOptions } from '../../src/base/log-options.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

function queueWith(options: LogOptions = {}): AppendQueue {
  return new AppendQueue('mail-0', resolveLogOptions(options), new ManualClock())
}

/** The values of the records of each batch of a group. */
function valuesIn(group: AppendGroup | null): string[][] {
  if (group === null) return []
  const bytes = group.encoder.bytes()
  return group.batches.map((queued) => {
    const records = [...batchOf(queued, bytes, 0).records()]
    return records.map(({ value }) => String(value))
  })
}

/** Resolves everything of a group, as the writer does. */
function settle(group: AppendGroup | null, baseOffset: number): void {
  for (const { waiters } of group?.batches ?? []) waiters.resolve(baseOffset)
}

const big = 'x'.repeat(600)

describe('the queue of appends', () => {
  test('appends of the same moment share a batch, and each learns its own offsets', async () => {
    const queue = queueWith()
    const first = queue.addRecords([{ value: 'a' }, { value: 'b' }], 'written', 'none')
    const second = queue.addRecords([{ value: 'c' }], 'written', 'none')
    const group = queue.take()
    expect(valuesIn(group)).toEqual([['a', 'b', 'c']])
    settle(group, 10)
    expect(await first).toEqual({ baseOffset: 10, lastOffset: 11, isDuplicate: false })
    expect(await second).toEqual({ baseOffset: 12, lastOffset: 12, isDuplicate: false })
    expect(queue.take()).toBeNull()
  })

  test('another codec begins another batch', () => {
    const queue = queueWith()
    void queue.addRecords([{ value: 'a' }], 'written', 'none')
    void queue.addRecords([{ value: 'b' }], 'written', 'gzip')
    void queue.addRecords([{ value: 'c' }], 'written', 'none')
    expect(valuesIn(queue.take())).toEqual([['a'], ['b'], ['c']])
  })

  test('a batch is left at batchBytes, and never splits an append', () => {
    const queue = queueWith({ batchBytes: 1000 })
    for (const values of [[big], [big, big], ['last']]) {
      void queue.addRecords(
        values.map((value) => ({ value })),
        'written',
        'none',
      )
    }
    expect(valuesIn(queue.take()).map((values) => values.length)).toEqual([3, 1])
  })

  test('an append that cannot be encoded leaves no record of its own behind', async () => {
    const queue = queueWith()
    void queue.addRecords([{ value: 'before' }], 'written', 'none')
    const bad = [{ value: 'half' }, { value: 17 as unknown as string }]
    expect(() => queue.addRecords(bad, 'written', 'none')).toThrow(/value/)
    void queue.addRecords([{ value: 'after' }], 'written', 'none')
    expect(valuesIn(queue.take())).toEqual([['before', 'after']])
  })

  test('an append that no batch may hold is refused, and the queue goes on', async () => {
    const queue = queueWith({ maxMessageBytes: 500 })
    void queue.addRecords([{ value: 'before' }], 'written', 'none')
    const refused = { value: big }
    expect(() => queue.addRecords(refused, 'written', 'none')).toThrow(BatchTooLargeError)
    void queue.addRecords([{ value: 'after' }], 'written', 'none')
    expect(valuesIn(queue.take()).flat()).toEqual(['before', 'after'])
  })

  test('beyond queueBytesMax appends wait outside, and come in in their order', async () => {
    const queue = queueWith({ queueBytesMax: 500 })
    for (const value of [big, 'second', 'third']) {
      void queue.addRecords([{ value }], 'written', 'none')
    }
    expect(valuesIn(queue.take()).flat()).toEqual([big])
    expect(queue.isEmpty).toBe(false)
    expect(valuesIn(queue.take()).flat()).toEqual(['second', 'third'])
  })

  test('come in, too, when everything that filled the queue is rejected', async () => {
    const queue = queueWith({ queueBytesMax: 500 })
    const rejected = queue.addRecords([{ value: big }], 'written', 'lz4')
    void queue.addRecords([{ value: 'second' }], 'written', 'none')
    const finish = vi.spyOn(BatchEncoder.prototype, 'finish').mockImplementationOnce(() => {
      throw new Error('no such package')
    })
    onTestFinished(() => finish.mockRestore())
    queue.alter(resolveLogOptions({}))
    await expect(rejected).rejects.toThrow('no such package')
    expect(queue.isEmpty).toBe(false)
    expect(valuesIn(queue.take()).flat()).toEqual(['second'])
    expect(queue.hasTaken(queue.asked)).toBe(true)
  })

  test('or are refused, where the caller chose so', async () => {
    const queue = queueWith({ queueBytesMax: 500, whenQueueFull: 'refuse' })
    void queue.addRecords([{ value: big }], 'written', 'none')
    const refused = queue.addRecords([{ value: 'second' }], 'written', 'none')
    await expect(refused).rejects.toBeInstanceOf(AppendQueueFullError)
    expect(valuesIn(queue.take()).flat()).toEqual([big])
  })

  test('without a wait for the disk an append is settled at once, its offset unknown', async () => {
    const result = await queueWith().addRecords([{ value: 'a' }], 'none', 'none')
    expect(result).toEqual({ baseOffset: -1, lastOffset: -1, isDuplicate: false })
  })

  test('failing rejects what is queued and what waits outside', async () => {
    const queue = queueWith({ queueBytesMax: 500 })
    const inside = queue.addRecords([{ value: big }], 'written', 'none')
    const outside = queue.addRecords([{ value: 'second' }], 'written', 'none')
    const failure = new Error('the disk is gone')
    queue.fail(failure)
    await expect(inside).rejects.toBe(failure)
    await expect(outside).rejects.toBe(failure)
    expect(queue.isEmpty).toBe(true)
    expect(queue.take()).toBeNull()
  })
})
