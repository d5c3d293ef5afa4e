import { nodeFileSystem, openLogReadOnly, systemClock } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { keysOf } from '../../src/payload/key-distribution.ts'
import { generatePayload } from '../../src/payload/payload.ts'
import { runBackups } from '../../src/workload/backup-run.ts'
import { bareScan } from '../../src/workload/bare-scan.ts'
import { benchLog, fillLog, fittingLog } from '../../src/workload/bench-log.ts'
import { runCompaction } from '../../src/workload/compact-run.ts'
import { runRecovery } from '../../src/workload/recover-run.ts'
import { taskFigure, timed } from '../../src/workload/task-timing.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const directory = temporary.path
const payload = generatePayload('json', 500, 1)
const context = { clock: systemClock, repeat: 2, onProgress: () => undefined }
const leftovers = (): readonly string[] =>
  nodeFileSystem.list(directory).filter((name) => name.startsWith('varve-bench-'))

describe('recovery', () => {
  test.each(['start', 'end'] as const)(
    'of a torn log reads all of it, beside bare reading, from the %s',
    async (recoveryPoint) => {
      const given = { directory, payload, sizeBytes: 300_000, batchBytes: 16_384, recoveryPoint }
      const [recovery, bare, ...others] = await runRecovery(given, context)
      expect(others).toEqual([])
      expect(recovery).toMatchObject({
        name: 'recovery',
        details: { recoveryPoint, tornBytes: 37 },
      })
      expect(recovery?.bytes).toBeGreaterThan(200_000)
      expect(recovery?.seconds.samples).toHaveLength(2)
      expect(bare?.name).toBe(
        recoveryPoint === 'start' ? 'bare: read, check, write, flush' : 'bare: read and check',
      )
      expect(bare?.bytes).toBe(recovery?.bytes)
      expect(leftovers()).toEqual([])
    },
  )

  test('of several segments, the loop beside it reads those that recovery reads', async () => {
    const shape = { directory, payload, sizeBytes: 500_000, batchBytes: 8192 }
    const given = { ...shape, segmentBytes: 100_000 }
    const run = async (recoveryPoint: 'start' | 'end') => {
      const [recovery, bare] = await runRecovery({ ...given, recoveryPoint }, context)
      return { recovery, bare, details: recovery?.details ?? {} }
    }
    const all = await run('start')
    const last = await run('end')
    expect(all.details['scannedSegments']).toBe(all.details['segments'])
    expect(last.details['scannedSegments']).toBe(1)
    expect(Number(last.details['segments'])).toBeGreaterThan(3)
    for (const { recovery, bare, details } of [all, last]) {
      expect(bare).toMatchObject({ bytes: recovery?.bytes, records: recovery?.records })
      expect(bare?.details['readBytes']).toBe(details['scannedBytes'])
      expect(bare?.details['readSegments']).toBe(details['scannedSegments'])
    }
    expect(Number(last.recovery?.bytes)).toBeLessThan(110_000)
    expect(Number(all.recovery?.bytes)).toBeGreaterThan(480_000)
    expect(Number(last.recovery?.records)).toBeLessThan(Number(all.recovery?.records) / 3)
  })

  test('of a log of a single batch can be repeated', async () => {
    const given = { directory, payload, sizeBytes: 1, batchBytes: 1 }
    for (const recoveryPoint of ['start', 'end'] as const) {
      const five = { ...context, repeat: 5 }
      const [recovery] = await runRecovery({ ...given, recoveryPoint }, five)
      expect(recovery?.seconds.samples).toHaveLength(5)
      expect(recovery?.records).toBe(0)
    }
  })

  test('bare reading stops at the first batch that is not whole or not right', async () => {
    const path = `${directory}/scanned`
    const log = { batchBytes: 4096 }
    const until = { bytes: 100_000 }
    const { bytes } = await fillLog(path, { payload, nextKey: () => null, until, log })
    const partition = `${path}/${benchLog.name}`
    const whole = { segments: 1, readBytes: bytes, soundBytes: bytes }
    expect(await bareScan(nodeFileSystem, partition, { rewrites: false })).toMatchObject(whole)
    expect(await bareScan(nodeFileSystem, partition, { rewrites: true })).toMatchObject(whole)
    const file = nodeFileSystem.open(`${partition}/${'0'.repeat(20)}.log`, 'write')
    file.writeSync(Buffer.from('rot'), 50_000)
    file.close()
    const { soundBytes } = await bareScan(nodeFileSystem, partition, { rewrites: false })
    expect(soundBytes).toBeGreaterThan(40_000)
    expect(soundBytes).toBeLessThanOrEqual(50_000)
  })
})

describe('compaction', () => {
  test('leaves a record for each key, and says how much it took', async () => {
    const keys = () => keysOf({ distribution: 'sequential', range: 50, seed: 1 })
    const given = { directory, payload, keys, records: 1000, segmentBytes: 100_000 }
    const [figure] = await runCompaction(given, context)
    expect(figure).toMatchObject({ name: 'compaction', records: 1000, details: { keys: 50 } })
    expect(figure?.details['outputRecords']).toBeLessThan(200)
    expect(leftovers()).toEqual([])
  })
})

describe('backup', () => {
  test('is measured with its verification and its restore', async () => {
    const given = { directory, payload, sizeBytes: 200_000, segmentBytes: 65_536 }
    const once = { ...context, repeat: 1 }
    const figures = await runBackups({ ...given, isEncrypted: false }, once)
    expect(figures.map(({ name }) => name)).toEqual(['backup', 'verify', 'restore'])
    expect(figures.every(({ bytes }) => bytes >= 200_000)).toBe(true)
    expect(figures[0]?.details['storedBytes']).toBeGreaterThan(1000)
    expect(leftovers()).toEqual([])
  })
})

describe('a log that is filled', () => {
  test('has as many records as were asked for, in the order of their keys', async () => {
    const path = `${directory}/filled`
    const nextKey = keysOf({ distribution: 'sequential', range: 10, seed: 1 })
    const until = { records: 777 }
    const filled = await fillLog(path, { payload, nextKey, until, log: {} })
    expect(filled.records).toBe(777)
    await using log = await openLogReadOnly(`${path}/${benchLog.name}`)
    await using reader = log.reader({ from: 0 })
    const keys: string[] = []
    for await (const { key } of reader.records()) keys.push(String(key))
    expect(keys).toHaveLength(777)
    expect(keys.slice(0, 3)).toEqual(['key-0', 'key-1', 'key-2'])
  })

  test('takes records and batches that are larger than a log takes by default', async () => {
    const large = generatePayload('compressed', 3_000_000, 1)
    for (const [at, batchBytes] of [65_536, 7_000_000].entries()) {
      const log = fittingLog(large, { segmentBytes: 2 ** 30, batchBytes })
      const until = { records: 5 }
      const path = `${directory}/large-${at}`
      const filled = await fillLog(path, { payload: large, nextKey: () => null, until, log })
      expect(filled.records).toBe(5)
    }
  })

  test('whose segments are too small for a record is refused', () => {
    expect(() => fittingLog(payload, { segmentBytes: 500 })).toThrow(/segmentBytes/)
  })

  test('has batches no larger than its segments', async () => {
    const log = fittingLog(payload, { segmentBytes: 10_000, batchBytes: 1_000_000 })
    const until = { bytes: 50_000 }
    const path = `${directory}/small-segments`
    const { bytes } = await fillLog(path, { payload, nextKey: () => null, until, log })
    expect(bytes).toBeGreaterThanOrEqual(50_000)
    expect(bytes).toBeLessThan(70_000)
  })

  test('of no size is refused', async () => {
    const until = { bytes: 0 }
    const filling = fillLog(`${directory}/none`, { payload, nextKey: () => null, until, log: {} })
    await expect(filling).rejects.toThrow(/size/)
  })
})

describe('tasks', () => {
  test('a rate is by the median of the repeats', () => {
    const facts = { name: 'a task', bytes: 4e6, records: null, details: {} }
    expect(taskFigure(facts, [4, 1, 2])).toMatchObject({ megabytesPerSecond: 2 })
  })

  test('nothing more is begun once the run has been ended', async () => {
    const signal = AbortSignal.abort()
    let isBegun = false
    const work = async (): Promise<void> => {
      isBegun = true
    }
    await expect(timed({ clock: systemClock, signal }, work)).rejects.toThrow()
    expect(isBegun).toBe(false)
  })

  test('no repeat at all is refused before anything is made', async () => {
    const given = { directory, payload, sizeBytes: 1000, batchBytes: 4096 }
    const none = runRecovery({ ...given, recoveryPoint: 'end' }, { ...context, repeat: 0 })
    await expect(none).rejects.toThrow(/repeat/)
    expect(leftovers()).toEqual([])
  })
})
