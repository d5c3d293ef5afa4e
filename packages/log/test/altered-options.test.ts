import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { BatchTooLargeError } from '../src/base/log-errors.ts'
import {
  appendValues,
  createLog,
  errorOf,
  openDirectory,
  readAll,
  simulatedPlace,
  values,
} from './log-fixture.ts'

test('a log whose settings are altered is sealed by the new ones, and holds what it held', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place, { segmentBytes: 2 ** 20 })
  await appendValues(log, 20)
  await log.alter({ segmentBytes: 200 })
  expect(log.options.segmentBytes).toBe(200)
  await appendValues(log, 20)
  const segments = log.segments()
  expect(segments.length).toBeGreaterThan(3)
  expect(await readAll(log)).toEqual(values(0, 40))
  await directory.close()
})

test('appends on either side of an alteration have the settings of their time', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place, { maxMessageBytes: 150 })
  const before = log.append({ value: 'a', timestamp: 5 })
  const altered = log.alter({ messageTimestampType: 'LogAppendTime', compressionType: 'gzip' })
  const large = 'x'.repeat(200)
  const refused = errorOf(log.append({ value: large }), BatchTooLargeError)
  await Promise.all([before, altered, refused])
  await log.append({ value: 'b', timestamp: 5 })
  await log.alter({ maxMessageBytes: 1000, compressionType: 'none' })
  await log.append({ value: large })
  const found: unknown[] = []
  for await (const batch of log.reader({ from: 0 })) {
    batch.validate()
    found.push([batch.timestampType, batch.compressionType])
  }
  expect(found).toEqual([
    ['CreateTime', 'none'],
    ['LogAppendTime', 'gzip'],
    ['LogAppendTime', 'none'],
  ])
  await directory.close()
})

test('a bad setting alters nothing', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place)
  const before = log.options
  await errorOf(log.alter({ segmentBytes: 1, segmentMs: 5 }), InvalidArgumentError)
  await errorOf(log.alter({ nonsense: 1 } as never), InvalidArgumentError)
  expect(log.options).toEqual(before)
  await directory.close()
})

test('a data directory is prepared under its lock, before its logs are opened', async () => {
  const place = simulatedPlace()
  const first = await createLog(place)
  await appendValues(first.log, 3)
  await first.directory.close()
  const seen: string[] = []
  const directory = await openDirectory(
    place,
    {},
    {
      onLocked: async () => {
        seen.push(...place.fs.openFiles())
        place.fs.rename('/data/t-0', '/data/u-0')
      },
    },
  )
  expect(seen).toEqual(['/data/.lock'])
  expect([...directory.logs.keys()]).toEqual(['u-0'])
  await directory.close()
  const failing = openDirectory(place, {}, { onLocked: () => Promise.reject(new Error('no')) })
  await expect(failing).rejects.toThrow('no')
  expect(place.fs.openFiles()).toEqual([])
})

test('a log that could not be opened can be deleted', async () => {
  const place = simulatedPlace()
  const first = await createLog(place)
  await appendValues(first.log, 10)
  await first.directory.close()
  await place.fs.remove('/data/.kafka_cleanshutdown')
  place.fs.flipBit('/data/t-0/00000000000000000000.log', 8 * 100)
  const directory = await openDirectory(place)
  expect(directory.failures.size).toBe(1)
  await directory.deleteLog('t', 0)
  expect(directory.failures.size).toBe(0)
  expect(place.fs.stat('/data/t-0')).toBeNull()
  const log = await directory.createLog('t', 0)
  await appendValues(log, 1)
  await directory.close()
})
