import { readdirSync } from 'node:fs'
import { type Log, LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { Cleaner } from '../../src/cleaner.ts'
import {
  type CompactionEvent,
  type CompactionProgressEvent,
  cleanerChannels,
} from '../../src/cleaner-events.ts'
import { workerExecutor } from '../../src/workers/worker-executor.ts'
import { WorkerPool } from '../../src/workers/worker-pool.ts'
import { EventRecorder } from '../event-recorder.ts'

async function fill(log: Log, batches: number): Promise<void> {
  for (let batch = 0; batch < batches; batch++) {
    const records = Array.from({ length: 100 }, (_, index) => ({
      key: `k${index}`,
      value: `${batch}`.padStart(100, '.'),
    }))
    await log.append(records, { acks: 'none' })
  }
  await log.roll()
  await log.flush()
}

async function valuesOf(log: Log): Promise<string[]> {
  const values: string[] = []
  for await (const record of log.reader({ from: 0 }).records()) values.push(String(record.value))
  return values
}

const policy = () => ({ cleanupPolicy: ['compact'] as const })

test('a worker compacts, and the log puts in place what it wrote', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(temporary.path, {
    log: { segmentBytes: 100_000 },
  })
  const log = await directory.createLog('t', 0)
  await fill(log, 50)
  await using cleaner = new Cleaner(directory, { policy, workers: 1 })
  using progress = new EventRecorder<CompactionProgressEvent>(cleanerChannels.progress)
  const { compaction } = await cleaner.runOnce()
  expect(cleaner.failures).toEqual(new Map())
  expect(compaction.get('t-0')?.stats).toMatchObject({ inputRecords: 5000, outputRecords: 100 })
  expect(progress.events.length).toBeGreaterThan(1)
  expect(await valuesOf(log)).toEqual(Array(100).fill('49'.padStart(100, '.')))
})

test('a worker rests while the event loop of its process has work, as long as it is told', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(temporary.path, {
    log: { segmentBytes: 1_000_000 },
  })
  const log = await directory.createLog('t', 0)
  // Somebody has work all the time, and leaves the worker enough of its own.
  const working = setInterval(() => {
    const startedMs = performance.now()
    while (performance.now() - startedMs < 1);
  }, 4)
  try {
    const tookMs: number[] = []
    for (const restMs of [0, 40]) {
      await fill(log, 300)
      await using cleaner = new Cleaner(directory, { policy, workers: 1, restMs })
      using done = new EventRecorder<CompactionEvent>(cleanerChannels.compaction)
      await cleaner.runOnce()
      tookMs.push(done.events[0]?.durationMs ?? 0)
    }
    const [without = 0, withRests = 0] = tookMs
    // Four MB are read, twice, in pieces of 256 KiB at most: five rests are few.
    expect(withRests - without).toBeGreaterThan(200)
  } finally {
    clearInterval(working)
  }
})

test('cancelled, a worker ends within 100 ms, and leaves the log as it was', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(temporary.path, {
    log: { segmentBytes: 100_000 },
  })
  const log = await directory.createLog('t', 0)
  await fill(log, 50)
  // Slow enough to be met at work.
  await using cleaner = new Cleaner(directory, { policy, workers: 1, ioBytesPerSecond: 100_000 })
  using progress = new EventRecorder<CompactionProgressEvent>(cleanerChannels.progress)
  const abort = new AbortController()
  const running = cleaner.runOnce({ signal: abort.signal })
  while (progress.events.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const abortedMs = performance.now()
  abort.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
  expect(performance.now() - abortedMs).toBeLessThan(100)
  expect(readdirSync(log.directory).filter((name) => name.endsWith('.cleaned'))).toEqual([])
  expect((await valuesOf(log)).length).toBe(5000)
})

test('what a worker fails with is told in its words', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(temporary.path, {
    log: { segmentBytes: 100_000 },
  })
  const log = await directory.createLog('t', 0)
  await fill(log, 5)
  using snapshot = log.snapshot()
  await using cleaner = new Cleaner(directory, { policy, workers: 1, mapBytes: 1024 })
  await cleaner.runOnce()
  // The log's own refusal comes back as it was thrown.
  expect(cleaner.failures.get('t-0')?.error).toMatchObject({ code: 'VARVE_SEGMENT_PINNED' })
  expect(snapshot.segments.length).toBeGreaterThan(0)
})

test('a worker that crashes does no harm', async () => {
  using temporary = makeTemporaryDirectory()
  const pool = new WorkerPool(1, `${import.meta.dirname}/crashing-worker.mjs`)
  await using directory = await LogDirectory.open(temporary.path)
  const log = await directory.createLog('t', 0)
  await fill(log, 2)
  const executor = workerExecutor(pool, nodeFileSystem)
  const task = {
    log: 't-0',
    directory: log.directory,
    segments: log.segments().slice(0, 1),
    firstDirtyOffset: 0,
    producers: [],
    abortedLater: [],
    nowMs: 0,
    deleteRetentionMs: 0,
    recordTtlMs: -1,
    segmentBytes: 1000,
    segmentIndexBytes: 1000,
    indexIntervalBytes: 1000,
    mapBytes: 1000,
    seed: new Uint8Array(16),
    ioBytesPerSecond: 0,
    restMs: 0,
    isDryRun: false,
  }
  const callbacks = { signal: null, replace: async () => {}, progress: () => {} }
  await expect(executor.run(task, callbacks)).rejects.toMatchObject({
    code: 'VARVE_COMPACTION_FAILED',
    retriable: true,
  })
  expect(readdirSync(log.directory).filter((name) => name.endsWith('.cleaned'))).toEqual([])
  expect((await valuesOf(log)).length).toBe(200)
  await pool.close()
})
