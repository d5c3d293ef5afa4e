import { describe, expect, test } from 'vitest'
import {
  type AppendEvent,
  type FlushEvent,
  logChannels,
  type RecoverEvent,
  type RollEvent,
  type WriteEvent,
} from '../../src/base/diagnostics.ts'
import { LogOfflineError } from '../../src/base/log-errors.ts'
import {
  appendValues,
  createLog,
  errorOf,
  eventsOf,
  reopenLog,
  simulatedPlace,
} from '../log-fixture.ts'

describe('the engine tells who listens', () => {
  test('of every group that is written, flushed and acknowledged', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    let appends: AppendEvent[] = []
    let flushes: FlushEvent[] = []
    const writes = await eventsOf<WriteEvent>(logChannels.write, async () => {
      flushes = await eventsOf<FlushEvent>(logChannels.flush, async () => {
        appends = await eventsOf<AppendEvent>(logChannels.append, async () => {
          await Promise.all([
            log.append({ value: 'a', timestamp: 1 }),
            log.append([{ value: 'b' }, { value: 'c' }]),
          ])
          await log.append({ value: 'd', timestamp: 1 }, { acks: 'written' })
        })
      })
    })
    const sizes = log.segments()[0]?.sizeBytes ?? 0
    expect(writes).toMatchObject([
      { log: 't-0', batches: 1, firstOffset: 0, nextOffset: 3 },
      { log: 't-0', batches: 1, firstOffset: 3, nextOffset: 4 },
    ])
    expect(writes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(sizes)
    expect(flushes).toMatchObject([{ log: 't-0', flushedOffset: 3, records: 3 }])
    expect(appends).toEqual([
      { log: 't-0', appends: 2, firstOffset: 0, nextOffset: 3 },
      { log: 't-0', appends: 1, firstOffset: 3, nextOffset: 4 },
    ])
    for (const { durationMs } of [...writes, ...flushes])
      expect(durationMs).toBeGreaterThanOrEqual(0)
    await directory.close()
  })

  test('of rolls and recoveries', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const rolls = await eventsOf<RollEvent>(logChannels.roll, () => appendValues(log, 10, 5))
    expect(rolls).toEqual([
      { log: 't-0', sealed: log.segments()[0], baseOffset: 5, reason: 'request' },
    ])
    await directory.close()
    let report: unknown = null
    const recoveries = await eventsOf<RecoverEvent>(logChannels.recover, async () => {
      const again = await reopenLog(place)
      report = again.log.recoveryReport
      await again.directory.close()
    })
    expect(recoveries).toEqual([{ log: 't-0', report }])
  })

  test('of a log that goes offline, once', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 1)
    const events = await eventsOf(logChannels.offline, async () => {
      place.fs.injectFault({ kind: 'EIO', isLasting: true })
      const error = await errorOf(log.append({ value: 'a' }), LogOfflineError)
      expect(await errorOf(log.append({ value: 'b' }), LogOfflineError)).toBe(error)
      expect(log.isFailed).toBe(true)
    })
    expect(events).toEqual([{ log: 't-0', error: expect.any(LogOfflineError) }])
    place.fs.clearFaults()
    await directory.close().catch(() => undefined)
  })

  test('nothing that it does not see: channels have names of their own', () => {
    const names = Object.entries(logChannels).map(([event, { name }]) => [event, name])
    for (const [event, name] of names) expect(name).toBe(`varve:log:${String(event)}`)
  })
})
