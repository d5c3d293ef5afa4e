import { describe, expect, test } from 'vitest'
import { CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import type { BackupGap, StoredPartition } from '../../src/format/manifest.ts'
import type { PartitionList, StoredSegment } from '../../src/format/partition-list.ts'
import { checkPartitionList } from '../../src/reading/list-check.ts'

const segment = (baseOffset: number, nextOffset: number): StoredSegment => ({
  ...{ baseOffset, nextOffset, sizeBytes: 10, maxTimestamp: -1, isSealed: true },
  ...{ fileId: 1, modifiedMs: 1, set: 0, damage: null },
  extents: [{ id: Buffer.alloc(32), sizeBytes: 10 }],
})

const gap = (from: number, to: number): BackupGap => ({
  ...{ topic: 't', partition: 0, from, to, reason: 'it could not be read' },
})

function check(
  segments: readonly StoredSegment[],
  partition: Partial<StoredPartition> = {},
  { gaps = [], files = [] }: { gaps?: readonly BackupGap[]; files?: PartitionList['files'] } = {},
): void {
  const stored: StoredPartition = {
    ...{ topic: 't', partition: 0, topicId: null, logStartOffset: 0, endOffset: 30 },
    ...{ sizeBytes: 10 * segments.length, segmentCount: segments.length },
    ...{ list: Buffer.alloc(32), set: 0, ...partition },
  }
  checkPartitionList({ gaps, sets: ['main'] }, stored, {
    ...{ topic: 't', partition: 0, segments, files },
  })
}

describe('the list of a partition', () => {
  test('may begin before its start, and have segments without offsets or records', () => {
    check([segment(0, 10), segment(10, 10), segment(10, 30)], { logStartOffset: 7 })
    check([], { logStartOffset: 30 })
    check([segment(0, 30)], {}, { files: [{ name: 'partition.metadata', bytes: Buffer.alloc(0) }] })
  })

  test('has every offset in a segment, or in gaps of this partition', () => {
    const holed = [segment(0, 10), segment(20, 30)]
    expect(() => check(holed)).toThrow(/offsets 10 to 20/)
    expect(() => check(holed, {}, { gaps: [gap(10, 15)] })).toThrow(/offsets 15 to 20/)
    const ofAnother = { ...gap(10, 20), partition: 1 }
    expect(() => check(holed, {}, { gaps: [ofAnother] })).toThrow(CorruptRepositoryError)
    check(holed, {}, { gaps: [gap(15, 20), gap(10, 15)] })
    expect(() => check([segment(0, 20)])).toThrow(/offsets 20 to 30/)
    expect(() => check([segment(5, 30)])).toThrow(/offsets 0 to 5/)
    expect(() => check([])).toThrow(/offsets 0 to 30/)
    check([segment(0, 20)], {}, { gaps: [gap(20, 30)] })
  })

  test.each<[string, () => void]>([
    ['segments that overlap', () => check([segment(0, 20), segment(10, 30)])],
    ['a segment beyond the end', () => check([segment(0, 31)])],
    ['a segment that ends before it begins', () => check([segment(0, 30), segment(30, 20)])],
    ['other figures than the manifest', () => check([segment(0, 30)], { sizeBytes: 11 })],
    ['fewer segments than the manifest', () => check([segment(0, 30)], { segmentCount: 2 })],
    ['a start beyond the end', () => check([], { logStartOffset: 31 })],
    ['a set that there is not', () => check([{ ...segment(0, 30), set: 1 }])],
  ])('is refused with %s', (_, checked) => {
    expect(checked).toThrow(CorruptRepositoryError)
  })

  test.each([
    ...['../x', '00000000000000000000.log', '00000000000000000000.snapshot.deleted'],
    ...['.lock', 'partition.metadata.tmp', ''],
  ])('is refused with the file %j', (name) => {
    const files = [{ name, bytes: Buffer.alloc(1) }]
    expect(() => check([segment(0, 30)], {}, { files })).toThrow(CorruptRepositoryError)
  })
})
