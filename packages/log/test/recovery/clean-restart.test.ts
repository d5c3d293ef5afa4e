import { describe, expect, test } from 'vitest'
import { decodeSegmentDigest } from '../../src/format/segment-digest.ts'
import {
  appendValues,
  bytesAt,
  createLog,
  fileOf,
  openDirectory,
  type Place,
  range,
  reopenLog,
  simulatedPlace,
} from '../log-fixture.ts'

describe('a clean restart', () => {
  test('of a log of a thousand segments opens none of the sealed ones', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 1000, 1)
    await directory.close()
    const opened: string[] = []
    const { fs } = place
    const open = fs.open.bind(fs)
    fs.open = (path, mode) => {
      opened.push(path)
      return open(path, mode)
    }
    const before = fs.calls
    const { log: again, directory: second } = await reopenLog(place)
    expect(again.recoveryReport).toMatchObject({ segments: 1000, scannedBytes: 0 })
    const sealed = opened.filter((path) => /\/\d{20}\./.test(path) && !path.includes('0999.'))
    expect(sealed.filter((path) => !path.endsWith(fileOf(1000, 'snapshot')))).toEqual([])
    // A stat for each .log, and a few calls besides.
    expect(fs.calls - before).toBeLessThan(1000 + 100)
    await second.close()
  })

  test('reads no record data', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await log.append({ value: Buffer.alloc(900_000, 'x'), timestamp: 1 })
    await appendValues(log, 20, 10)
    await directory.close()
    let bytesRead = 0
    const { fs } = place
    const open = fs.open.bind(fs)
    fs.open = (path, mode) => {
      const file = open(path, mode)
      if (!path.endsWith('.log')) return file
      const [readSync, read] = [file.readSync.bind(file), file.read.bind(file)]
      file.readSync = (target, position) => {
        bytesRead += target.length
        return readSync(target, position)
      }
      file.read = (target, position) => {
        bytesRead += target.length
        return read(target, position)
      }
      return file
    }
    const { directory: second } = await reopenLog(place)
    // One batch header, for the age of the active segment.
    expect(bytesRead).toBeLessThanOrEqual(61)
    await second.close()
  })

  test('after nothing was changed writes nothing but the marker and the checkpoints', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 10)
    await directory.close()
    const before = place.fs.operations
    await (await openDirectory(place)).close()
    const paths = range(before, place.fs.operations).map((index) =>
      place.fs.describeOperation(index),
    )
    expect(paths.filter((line) => line.includes('/t-0'))).toEqual([])
  })

  test('goes on where the active segment was: its indexes, its age, its digest', async () => {
    const options = { indexIntervalBytes: 100, segmentMs: 1000 }
    const whole = simulatedPlace()
    const one = await createLog(whole, options)
    for (const offset of range(0, 40))
      await one.log.append({ value: `v${offset}`, timestamp: offset * 10 })
    await one.log.roll()
    await one.directory.close()
    const parts = simulatedPlace()
    await (await createLog(parts, options)).directory.close()
    for (const offset of range(0, 40)) {
      const { directory, log } = await reopenLog(parts, options)
      expect(log.recoveryReport.scannedBytes).toBe(0)
      await log.append({ value: `v${offset}`, timestamp: offset * 10 })
      if (offset === 39) await log.roll()
      await directory.close()
    }
    expect(bytesAt(parts, `t-0/${fileOf(0)}`)).toEqual(bytesAt(whole, `t-0/${fileOf(0)}`))
    const digestIn = (place: Place) => {
      const path = `t-0/${fileOf(0, 'digest')}`
      // Every closing completes the time index: it has more entries.
      const { timeIndexCrc32c: _, ...digest } = decodeSegmentDigest(bytesAt(place, path), path)
      return digest
    }
    expect(digestIn(parts)).toEqual(digestIn(whole))
    // Older than its first record by a second: the next one rolls.
    const { directory, log } = await reopenLog(parts, options)
    await log.append({ value: 'a', timestamp: 0 })
    await log.append({ value: 'b', timestamp: 1001 })
    expect(log.segments().map(({ baseOffset }) => baseOffset)).toEqual([0, 40, 41])
    await directory.close()
  })
})
