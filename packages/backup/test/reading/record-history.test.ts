import {
  type Batch,
  CorruptBatchError,
  endTransactionMarkerBatch,
  RecordBatchBuilder,
} from '@varve/record'
import { expect, test } from 'vitest'
import { CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import { committedBatches } from '../../src/reading/committed-records.ts'
import { groupOffsets } from '../../src/reading/group-offsets.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { ObjectReader } from '../../src/reading/object-reader.ts'
import {
  backupHistory,
  type HistoryPartition,
  type RecordHistory,
  snapshotHistory,
} from '../../src/reading/record-history.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { DirectorySource } from '../../src/source/directory-source.ts'
import { appendRecords, compact, dataPath, Machine } from '../backup-fixture.ts'

async function bytesFrom(partition: HistoryPartition, from: number): Promise<string> {
  const parts: Buffer[] = []
  for await (const batch of partition.batches({ from })) parts.push(Buffer.from(batch.bytes))
  return Buffer.concat(parts).toString('hex')
}

test('a backup and a snapshot of its source have the same batches, from any offset', async () => {
  const machine = new Machine()
  await using directory = await machine.openData()
  const log = await directory.createLog('a', 0)
  await directory.createLog('a', 1)
  await appendRecords(log, 300)
  await log.append({ value: Buffer.alloc(3000, 7), timestamp: 5 })
  await compact(machine, log, (offset) => offset % 3 > 0)
  const repository = await machine.create()
  await machine.back(repository, directory)
  const latest = await new BackupCatalogue(repository).find('latest')
  const reader = new ObjectReader(repository, inlineDecoder())
  const stored = backupHistory(repository, latest, reader)
  const source = new DirectorySource(dataPath, { fs: machine.fs })
  await using snapshot = await source.snapshot()
  const held = snapshotHistory(machine.fs, dataPath, snapshot)
  expect(held.partitions.map(({ partition }) => partition)).toEqual([0, 1])
  for (const from of [0, 1, 100, 299, 300, 301]) {
    const expected: Buffer[] = []
    for await (const batch of log.reader({ from })) expected.push(Buffer.from(batch.bytes))
    for (const { partitions } of [stored, held]) {
      const [first, second] = partitions as [HistoryPartition, HistoryPartition]
      expect(first.endOffset).toBe(301)
      expect(await bytesFrom(first, from)).toBe(Buffer.concat(expected).toString('hex'))
      expect(await bytesFrom(second, 0)).toBe('')
    }
  }
})

test('a bit that is flipped is not handed on, in the repository or in a snapshot', async () => {
  const machine = new Machine()
  await using directory = await machine.openData()
  const log = await directory.createLog('a', 0)
  await appendRecords(log, 50)
  const repository = await machine.create()
  await machine.back(repository, directory)
  const latest = await new BackupCatalogue(repository).find('latest')
  const reader = new ObjectReader(repository, inlineDecoder())
  for (const [path, { isDirectory }] of machine.fs.tree()) {
    if (path.includes('/objects/') && !isDirectory) machine.fs.flipBit(path, 8 * 60)
  }
  const [partition] = backupHistory(repository, latest, reader).partitions
  await expect(bytesFrom(partition as HistoryPartition, 0)).rejects.toThrow(CorruptRepositoryError)
  await using snapshot = await new DirectorySource(dataPath, { fs: machine.fs }).snapshot()
  machine.fs.flipBit(snapshot.partitions[0]?.segments[0]?.path ?? '', 8 * 100)
  const [held] = snapshotHistory(machine.fs, dataPath, snapshot).partitions
  await expect(bytesFrom(held as HistoryPartition, 0)).rejects.toThrow(CorruptBatchError)
})

test('the history of a snapshot ends with it, though its log goes on, with half a batch', async () => {
  const machine = new Machine()
  await using directory = await machine.openData()
  const log = await directory.createLog('a', 0)
  await appendRecords(log, 50)
  await using snapshot = await new DirectorySource(dataPath, { fs: machine.fs }).snapshot()
  const [held] = snapshotHistory(machine.fs, dataPath, snapshot).partitions
  const before = await bytesFrom(held as HistoryPartition, 0)
  expect(held?.endOffset).toBe(50)
  await appendRecords(log, 50)
  expect(await bytesFrom(held as HistoryPartition, 0)).toBe(before)
  expect(await bytesFrom(held as HistoryPartition, 50)).toBe('')
  const file = machine.fs.open(snapshot.partitions[0]?.segments[0]?.path ?? '', 'write')
  file.truncate(Buffer.from(before, 'hex').length + 70)
  file.close()
  expect(await bytesFrom(held as HistoryPartition, 0)).toBe(before)
})

/** A partition that is made of batches in memory. */
function partitionOf(batches: readonly Batch[], topic = 'a'): HistoryPartition {
  const endOffset = batches.at(-1)?.nextOffset ?? 0
  return {
    ...{ topic, partition: 0, topicId: null, logStartOffset: 0, endOffset },
    async *batches({ from }) {
      for (const batch of batches) if (batch.nextOffset > from) yield batch
    },
  }
}

function data(baseOffset: number, producerId: number, value = 'v', key: string | null = null) {
  const options = { baseOffset, producerId, producerEpoch: 0, baseSequence: baseOffset }
  const isTransactional = producerId > 0
  return new RecordBatchBuilder({ ...options, isTransactional }).append({ key, value }).build()
}

function marker(baseOffset: number, producerId: number, type: 'commit' | 'abort') {
  const who = { producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 0 }
  return endTransactionMarkerBatch({ type, baseOffset, ...who })
}

const mixture = [
  data(0, 1),
  data(1, 2),
  data(2, 0),
  marker(3, 1, 'abort'),
  data(4, 1),
  marker(5, 2, 'commit'),
  data(6, 3),
  marker(7, 1, 'commit'),
  data(8, 0),
]

async function offsetsOf(
  batches: AsyncGenerator<Batch, number, undefined>,
): Promise<readonly [readonly number[], number]> {
  const offsets: number[] = []
  for (;;) {
    const { done, value } = await batches.next()
    if (done === true) return [offsets, value]
    offsets.push(value.baseOffset)
  }
}

test('only what was committed is handed on, up to a transaction that is open', async () => {
  const partition = partitionOf(mixture)
  expect(await offsetsOf(committedBatches(partition, { from: 0 }))).toEqual([[1, 2, 4], 6])
  const leaving = { from: 0, openTransactions: 'leave-out' } as const
  expect(await offsetsOf(committedBatches(partition, leaving))).toEqual([[1, 2, 4, 8], 9])
  expect(await offsetsOf(committedBatches(partition, { from: 4 }))).toEqual([[4], 6])
})

test('groups stand where the newest committed record says, and not where it is forgotten', async () => {
  const topic = '__consumer_offsets'
  const batches = [
    data(0, 0, '5', 'g1'),
    data(1, 0, '7', 'g2'),
    data(2, 1, '9', 'g1'),
    data(3, 2, '11', 'g1'),
    marker(4, 1, 'commit'),
    marker(5, 2, 'abort'),
    data(6, 3, '13', 'g1'),
    data(7, 0, '', 'g2'),
  ]
  const partitions = [partitionOf(batches, topic), partitionOf([data(0, 0)])]
  const history: RecordHistory = {
    ...{ sourceId: 's', name: 's', takenMs: 0, files: [], gaps: [] },
    partitions,
  }
  const found = await groupOffsets(history, ({ key, value }) => ({
    ...{ group: String(key), topic: 'a', partition: 0 },
    value: value?.length === 0 ? null : { offset: Number(value), metadata: '' },
  }))
  expect(found).toMatchObject([{ group: 'g1', offset: 9 }])
})
