import { silentLogger } from '@varve/broker/serving'
import { openLog } from '@varve/log'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { FetchSession, type WantedPartition } from '../../src/fetching/fetch-session.ts'
import { leaderEpochError } from '../../src/fetching/leader-epoch-error.ts'
import { PartitionReading } from '../../src/fetching/partition-reading.ts'
import { ToldPartitions } from '../../src/fetching/told-partitions.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'

const log = await openLog('/t-0', { fs: new SimulatedFileSystem() })
const context = {
  ...({ isolation: 'uncommitted', logger: silentLogger } as const),
  memory: (sizeBytes: number) => Buffer.alloc(sizeBytes),
}
const limit = { maxBytes: 1000, isFirstWhole: true }

function wantedFrom(partition: number, fetchOffset = 0): WantedPartition {
  return {
    ...{ topic: 't', topicId: '', partition, fetchOffset, maxBytes: 1000 },
    ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
    ...{ toldHighWatermark: -1, toldLogStartOffset: -1 },
  }
}

test('what gave records has its turn after the others next time', async () => {
  await log.append({ value: 'a' })
  const partitions = new Map([0, 1].map((index) => [`t:${index}`, wantedFrom(index, index)]))
  const session = new FetchSession(1, partitions, false, 0)
  const readings = [...partitions].map(([key, wanted]) => {
    return new PartitionReading(key, wanted, { log }, context)
  })
  for (const reading of readings) await reading.read(limit)
  const plan = { errorCode: 0, partitions, session, sessionEpoch: 1, isIncremental: true }
  const toldOf = (read: readonly PartitionReading[]) => {
    const told = new ToldPartitions(plan)
    for (const reading of read) told.tell(reading)
    return told.topics
  }
  expect(toldOf(readings)[0]?.partitions).toHaveLength(2)
  expect([...session.partitions.keys()]).toEqual(['t:1', 't:0'])
  for (const reading of readings.slice(1)) await reading.read(limit)
  expect(toldOf(readings.slice(1))).toEqual([])
})

test('an epoch of the client that ended earlier here is told', async () => {
  const reading = (fetchOffset: number, lastFetchedEpoch: number) => {
    const wanted = { ...wantedFrom(0, fetchOffset), lastFetchedEpoch }
    return new PartitionReading('t:0', wanted, { log }, context)
  }
  const same = reading(log.highWatermark, 0)
  expect(same.hasNews).toBe(false)
  const unknown = reading(log.highWatermark, 4)
  expect(unknown.hasNews).toBe(true)
  await unknown.read(limit)
  expect(unknown.answer?.errorCode).toBe(errorCodes.OFFSET_OUT_OF_RANGE)
  expect(unknown.isUrgent).toBe(true)
})

test('a client with another leader epoch is told which side is behind', () => {
  const { FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH } = errorCodes
  const believing = (epoch: number) => leaderEpochError({ leaderEpoch: 3 }, epoch)
  expect([-1, 3, 2, 4].map(believing)).toEqual([0, 0, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH])
})
