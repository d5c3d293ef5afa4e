import { describe, expect, test } from 'vitest'
import { legacyEntry, legacyWrapper } from '../../../record/test/legacy-entries.ts'
import { CorruptLogError } from '../../src/base/log-errors.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'
import {
  appendValues,
  batchOf,
  bytesAt,
  createLog,
  errorOf,
  fileOf,
  offsetsOf,
  putBytes,
  range,
  reopenLog,
  simulatedPlace,
} from '../log-fixture.ts'

// No checksum covers a batch's base offset.

describe('a batch whose base offset was altered', () => {
  test.each(['uncommitted', 'committed'] as const)(
    'as far as the end of the log is refused, not given out there: %s',
    async (isolation) => {
      const place = simulatedPlace()
      const first = await createLog(place)
      await appendValues(first.log, 4)
      await first.directory.close()
      const path = `t-0/${fileOf(0)}`
      const bytes = bytesAt(place, path)
      bytes.writeUInt32BE(3, bytes.length / 2 + 4)
      putBytes(place, path, bytes)
      const { directory, log } = await reopenLog(place)
      const reader = log.reader({ from: 0, isolation })
      expect((await reader.nextBatches())?.map(({ baseOffset }) => baseOffset)).toEqual([0, 1])
      const error = await errorOf(reader.nextBatches(), CorruptLogError)
      expect(error.damage).toMatchObject({ position: bytes.length / 2, firstOffset: 2 })
      await directory.close()
    },
  )

  test('as far as the first open transaction does not end a read of what is committed', async () => {
    const place = simulatedPlace()
    const first = await createLog(place)
    await appendValues(first.log, 3)
    const open = { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    for (const baseSequence of [0, 1]) {
      await first.log.appendBatch(batchOf([{ value: 'open' }], { ...open, baseSequence }))
    }
    await first.directory.close()
    const path = `t-0/${fileOf(0)}`
    const bytes = bytesAt(place, path)
    const size = 12 + bytes.readInt32BE(8)
    bytes.writeUInt32BE(3, size + 4)
    putBytes(place, path, bytes)
    const { directory, log } = await reopenLog(place)
    const read = (from: number) => log.read({ from, isolation: 'committed', maxBytes: 1 })
    expect((await read(0)).nextOffset).toBe(1)
    await errorOf(read(1), CorruptLogError)
    await directory.close()
  })

  test('of the old formats is refused when its records would be those of the one before', async () => {
    const fs = new SimulatedFileSystem()
    const entry = (offset: number) => legacyEntry({ magic: 1, offset, value: 'v', timestamp: 1 })
    const inner = range(0, 3).map(entry)
    const wrapped = (offset: number) =>
      legacyWrapper({ magic: 1, offset, timestamp: 1 }, 'gzip', inner)
    const before = range(0, 4).map(entry)
    fs.writeBytes(`/data/t-0/${fileOf(0)}`, Buffer.concat([...before, wrapped(6), entry(7)]))
    fs.settle()
    const whole = await reopenLog(simulatedPlace(fs.fork()))
    expect(await offsetsOf(whole.log)).toEqual(range(0, 8))
    await whole.directory.close()
    const lowered = Buffer.concat([...before, wrapped(4), entry(7)])
    fs.writeBytes(`/data/t-0/${fileOf(0)}`, lowered)
    const { directory, log } = await reopenLog(simulatedPlace(fs))
    const reader = log.reader({ from: 0 })
    expect(await reader.nextBatches()).toHaveLength(4)
    await errorOf(reader.nextBatches(), CorruptLogError)
    await directory.close()
  })
})
