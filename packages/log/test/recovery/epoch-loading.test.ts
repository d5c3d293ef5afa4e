import { RecordBatchBuilder } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { legacyEntry } from '../../../record/test/legacy-entries.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'
import { bytesAt, fileOf, openDirectory, reopenLog, simulatedPlace } from '../log-fixture.ts'
import { faults } from '../rot/oracle.ts'

const checkpoint = 't-0/leader-epoch-checkpoint'

/** As a broker leaves a log of which it deleted records, when it dies before it has noted where. */
function droppedByBroker(first: Buffer): SimulatedFileSystem {
  const fs = new SimulatedFileSystem()
  const batches = [first]
  for (const [baseOffset, leaderEpoch] of [
    [2, 0],
    [4, 1],
    [6, 3],
  ] as const) {
    batches.push(batchAt(baseOffset, leaderEpoch))
  }
  fs.writeBytes(`/data/t-0/${fileOf(0)}`, Buffer.concat(batches))
  fs.writeBytes(`/data/${checkpoint}`, Buffer.from('0\n1\n3 7\n'))
  fs.settle()
  return fs
}

function batchAt(baseOffset: number, leaderEpoch: number): Buffer {
  const builder = new RecordBatchBuilder({ baseOffset, leaderEpoch })
  for (const value of ['one', 'two']) builder.append({ value, timestamp: 1 })
  return builder.build().bytes
}

describe('leader epochs that a broker dropped', () => {
  test('come back from the batches, once', async () => {
    const place = simulatedPlace(droppedByBroker(batchAt(0, 0)))
    expect(await faults(place.fs)).toEqual([])
    const first = await reopenLog(place)
    await first.directory.close()
    expect(bytesAt(place, checkpoint).toString()).toBe('0\n3\n0 0\n1 4\n3 6\n')
    expect(await faults(place.fs)).toEqual([])
    const before = place.fs.operations
    await (await openDirectory(place)).close()
    const written = place.fs.journal.slice(before).filter(({ path }) => path.includes('epoch'))
    expect(written).toEqual([])
  })

  test('stay dropped where batches of the old formats come first', async () => {
    const old = [0, 1].map((offset) => legacyEntry({ magic: 1, offset, value: 'v', timestamp: 1 }))
    const place = simulatedPlace(droppedByBroker(Buffer.concat(old)))
    const { directory } = await reopenLog(place)
    await directory.close()
    expect(bytesAt(place, checkpoint).toString()).toBe('0\n1\n3 7\n')
    expect(await faults(place.fs)).toEqual([])
  })
})
