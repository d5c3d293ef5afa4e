import { emptyBatchOf, RecordBatch, RecordBatchBuilder, readBatches } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { legacyEntry, legacyWrapper } from '../../../record/test/legacy-entries.ts'
import { cutBatches } from '../../src/restoring/cut-batches.ts'
import { RestoreRefusedError } from '../../src/restoring/restore-errors.ts'
import { codecs } from './scene.ts'

/** Offsets 10, 12, 14, … of a batch that speaks of 10 to 29. */
function sparse(options: ConstructorParameters<typeof RecordBatchBuilder>[0] = {}): RecordBatch {
  const builder = new RecordBatchBuilder({ baseOffset: 10, ...options })
  for (let delta = 0; delta < 16; delta += 2) {
    builder.append({ key: `k${delta}`, value: 'x'.repeat(30), timestamp: 1000 - delta }, delta)
  }
  return builder.build({ lastOffsetDelta: 19 })
}

function onlyBatch(content: Buffer): RecordBatch {
  const [batch, ...others] = [...readBatches(content)]
  if (!(batch instanceof RecordBatch) || others.length > 0) throw new Error('not one batch')
  batch.validate()
  return batch
}

describe('batches that are cut', () => {
  test.each(codecs)('keep their records before the cut, compressed with %s', (codec) => {
    const options = {
      compressionType: codec,
      ...{ leaderEpoch: 3, producerId: 7, producerEpoch: 2, baseSequence: 100 },
      isTransactional: true,
    }
    const cut = onlyBatch(cutBatches(Buffer.from(sparse(options).bytes), 15))
    expect([...cut.records()].map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [10, 1000],
      [12, 998],
      [14, 996],
    ])
    expect(cut).toMatchObject({ ...options, baseOffset: 10, lastOffset: 14, lastSequence: 104 })
  })

  test('end right before the cut, where compaction has taken the last records', () => {
    expect(onlyBatch(cutBatches(Buffer.from(sparse().bytes), 28)).nextOffset).toBe(28)
  })

  test('keep the time at which the log received them', () => {
    const batch = sparse({ timestampType: 'LogAppendTime' })
    const cut = onlyBatch(cutBatches(Buffer.from(batch.bytes), 13))
    expect(cut.timestampType).toBe('LogAppendTime')
    expect([...cut.records()].map(({ timestamp }) => timestamp)).toEqual([
      batch.maxTimestamp,
      batch.maxTimestamp,
    ])
  })

  test('keep the horizon of their tombstones', () => {
    const cut = onlyBatch(cutBatches(Buffer.from(sparse({ deleteHorizon: 5000 }).bytes), 13))
    expect(cut.deleteHorizon).toBe(5000)
    expect([...cut.records()].map(({ timestamp }) => timestamp)).toEqual([1000, 998])
  })

  test('may keep no record at all', () => {
    const builder = new RecordBatchBuilder({ baseOffset: 10, producerId: 7, baseSequence: 0 })
    const batch = builder.append({ value: 'v' }, 9).build()
    const cut = onlyBatch(cutBatches(Buffer.from(batch.bytes), 15))
    expect(cut).toMatchObject({ count: 0, baseOffset: 10, nextOffset: 15, producerId: 7 })
    const empty = onlyBatch(cutBatches(Buffer.from(emptyBatchOf(sparse()).bytes), 20))
    expect(empty).toMatchObject({ count: 0, nextOffset: 20 })
  })

  test('are left alone, or out, where no record of theirs lies on the other side', () => {
    const first = sparse()
    const second = sparse({ baseOffset: 30 })
    const content = Buffer.concat([first.bytes, second.bytes])
    expect(cutBatches(content, 30)).toEqual(Buffer.from(first.bytes))
    expect(cutBatches(content, 50)).toEqual(content)
    expect(cutBatches(content, 10)).toHaveLength(0)
  })

  test('of the old formats are refused, with where they could be cut', () => {
    const inner = [0, 1, 2].map((offset) => legacyEntry({ magic: 1, offset, value: 'v' }))
    const wrapper = legacyWrapper({ magic: 1, offset: 12 }, 'gzip', inner)
    expect(() => cutBatches(wrapper, 12)).toThrow(RestoreRefusedError)
    expect(cutBatches(wrapper, 10)).toHaveLength(0)
    expect(cutBatches(wrapper, 13)).toEqual(wrapper)
  })
})
