import { readBatches } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { LeaderEpochCache } from '../src/format/leader-epoch-cache.ts'
import { decodeOffsetIndex } from '../src/format/offset-index.ts'
import {
  decodePartitionMetadata,
  encodePartitionMetadata,
} from '../src/format/partition-metadata.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../src/format/producer-snapshot.ts'
import { decodeTimeIndex, TimeIndex } from '../src/format/time-index.ts'
import { decodeTransactionIndex, TransactionIndex } from '../src/format/transaction-index.ts'
import { ProducerStateManager } from '../src/producers/producer-state.ts'
import { parseSegmentFileName } from '../src/storage/file-names.ts'
import { type Fixture, fixturesMissing, kafkaFixture, kafkaFixtures } from './kafka-fixtures.ts'

interface FileCase {
  readonly fixture: Fixture
  readonly file: string
  readonly baseOffset: number
  readonly bytes: Buffer
}

function filesOf(kind: string): FileCase[] {
  return kafkaFixtures().flatMap((fixture) =>
    fixture.files.flatMap((file) => {
      const name = parseSegmentFileName(file)
      if (name?.kind !== kind) return []
      return [{ fixture, file, baseOffset: name.baseOffset, bytes: fixture.read(file) }]
    }),
  )
}

function expectedOf({ fixture, file }: FileCase) {
  const line = fixture.expected.find((it) => it.file === file)
  if (line === undefined) throw new Error(`${fixture.name} does not say what ${file} holds`)
  return line
}

describe('files written by Kafka', () => {
  test('.index files read as Kafka reads them and encode to the same bytes', (context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    const cases = filesOf('index')
    expect(cases.length).toBeGreaterThan(10)
    for (const it of cases) {
      const { index, problem } = decodeOffsetIndex(it.bytes, it.baseOffset)
      expect(problem).toBeNull()
      const entries = Array.from({ length: index.count }, (_, entry) => index.entryAt(entry))
      const pairs = entries.map(({ offset, position }) => [offset, position])
      expect(pairs).toEqual(expectedOf(it)['entries'])
      expect(index.bytes()).toEqual(it.bytes)
    }
  })

  test('.timeindex files read as Kafka reads them and encode to the same bytes', (context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    const cases = filesOf('timeindex')
    expect(cases.length).toBeGreaterThan(10)
    for (const it of cases) {
      const { index, problem } = decodeTimeIndex(it.bytes, it.baseOffset)
      expect(problem).toBeNull()
      const entries = Array.from({ length: index.count }, (_, entry) => index.entryAt(entry))
      const pairs = entries.map(({ timestamp, offset }) => [timestamp, offset])
      expect(pairs).toEqual(expectedOf(it)['entries'])
      const rebuilt = new TimeIndex(it.baseOffset)
      for (const { timestamp, offset } of entries) rebuilt.maybeAppend(timestamp, offset)
      expect(rebuilt.bytes()).toEqual(it.bytes)
    }
  })

  test('.txnindex files read as Kafka reads them and encode to the same bytes', (context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    const cases = filesOf('txnindex')
    expect(cases.length).toBe(2)
    for (const it of cases) {
      const { index, problem } = decodeTransactionIndex(it.bytes, it.baseOffset)
      expect(problem).toBeNull()
      const entries = Array.from({ length: index.count }, (_, entry) => index.entryAt(entry))
      expect(entries).toEqual(expectedOf(it)['entries'])
      const rebuilt = new TransactionIndex(it.baseOffset)
      for (const entry of entries) rebuilt.append(entry)
      expect(rebuilt.encode()).toEqual(it.bytes)
    }
  })

  test('.snapshot files read as Kafka reads them and encode to the same bytes', (context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    const cases = filesOf('snapshot')
    expect(cases.length).toBeGreaterThan(5)
    for (const it of cases) {
      const producers = decodeProducerSnapshot(it.bytes, it.file)
      const found = producers.map((producer) => ({
        producerId: producer.producerId,
        epoch: producer.epoch,
        coordinatorEpoch: producer.coordinatorEpoch,
        firstSeq: producer.batches[0]?.firstSequence ?? -1,
        lastSeq: producer.batches[0]?.lastSequence ?? -1,
        lastOffset: producer.batches[0]?.lastOffset ?? -1,
        lastTimestamp: producer.lastTimestamp,
        currentTxnFirstOffset: producer.currentTransactionFirstOffset,
      }))
      expect(found).toEqual(expectedOf(it)['producers'])
      expect(encodeProducerSnapshot(producers)).toEqual(it.bytes)
    }
  })

  test('leader epochs and partition metadata encode to the same bytes', (context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    let count = 0
    for (const fixture of kafkaFixtures()) {
      if (fixture.files.includes('leader-epoch-checkpoint')) {
        const bytes = fixture.read('leader-epoch-checkpoint')
        expect(LeaderEpochCache.decode(bytes, 'x').encode()).toEqual(bytes)
        count += 1
      }
      if (fixture.files.includes('partition.metadata')) {
        const bytes = fixture.read('partition.metadata')
        expect(encodePartitionMetadata(decodePartitionMetadata(bytes, 'x'))).toEqual(bytes)
        count += 1
      }
    }
    expect(count).toBeGreaterThan(10)
  })
})

describe('the derived files of txn-0, made anew from its batches,', () => {
  const segments = [0, 8]

  /** Replays segments as recovery does; returns their transaction indexes. */
  function replay(fixture: Fixture, state: ProducerStateManager, epochs: LeaderEpochCache) {
    return segments.map((baseOffset) => {
      const index = new TransactionIndex(baseOffset)
      const bytes = fixture.read(`${String(baseOffset).padStart(20, '0')}.log`)
      for (const batch of readBatches(bytes)) {
        if (epochs.latestEpoch === null || batch.leaderEpoch > epochs.latestEpoch) {
          epochs.assign(batch.leaderEpoch, batch.baseOffset)
        }
        expect(state.check(batch, 'recovery')).toEqual({ kind: 'append' })
        const completed = state.update(batch)
        if (completed?.isAborted) index.append(completed)
      }
      const snapshot = `${String(state.endOffset).padStart(20, '0')}.snapshot`
      expect(state.encodeSnapshot()).toEqual(fixture.read(snapshot))
      return index
    })
  }

  test('are the same to the byte', (context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    const fixture = kafkaFixture('txn-0')
    const state = new ProducerStateManager()
    const epochs = new LeaderEpochCache()
    const indexes = replay(fixture, state, epochs)
    expect(indexes[0]?.encode()).toEqual(fixture.read('00000000000000000000.txnindex'))
    expect(indexes[1]?.encode()).toEqual(fixture.read('00000000000000000008.txnindex'))
    expect(epochs.encode()).toEqual(fixture.read('leader-epoch-checkpoint'))
    expect(state.ongoingTransactions()).toEqual([{ producerId: 1000, firstOffset: 12 }])
    expect(state.lastStableOffset(13)).toBe(12)
  })

  test('need the state before their segment: without it a transaction is missed', (context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    const fixture = kafkaFixture('txn-0')
    const abortsOf = (state: ProducerStateManager): number => {
      const completed = [...readBatches(fixture.read('00000000000000000008.log'))].map((batch) =>
        state.update(batch),
      )
      return completed.filter((it) => it?.isAborted).length
    }
    const loaded = new ProducerStateManager()
    loaded.load(decodeProducerSnapshot(fixture.read('00000000000000000008.snapshot'), 'x'), 8)
    expect(abortsOf(loaded)).toBe(2)
    expect(abortsOf(new ProducerStateManager())).toBe(1)
  })
})
