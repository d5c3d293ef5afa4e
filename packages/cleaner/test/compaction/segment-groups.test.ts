import { expect, test } from 'vitest'
import { type GroupedSegment, groupSegments } from '../../src/compaction/segment-groups.ts'

function segmentsOf(...sizes: readonly number[]): GroupedSegment[] {
  return sizes.map((sizeBytes, index) => ({
    baseOffset: index * 10,
    nextOffset: index * 10 + 10,
    sizeBytes,
    maxTimestamp: -1,
    path: '',
    offsetIndexBytes: 8,
    timeIndexBytes: 12,
  }))
}

function sizesOf(segments: readonly GroupedSegment[], segmentBytes = 100, segmentIndexBytes = 1e6) {
  const groups = groupSegments(segments, { segmentBytes, segmentIndexBytes })
  return groups.map((group) => group.map(({ sizeBytes }) => sizeBytes))
}

test('neighbours are merged as long as they fit, and a larger one stands alone', () => {
  expect(sizesOf(segmentsOf(40, 60, 1, 99, 150, 0, 20))).toEqual([
    [40, 60],
    [1, 99],
    [150],
    [0, 20],
  ])
  expect(sizesOf([])).toEqual([])
})

test('the larger index limits them too', () => {
  expect(sizesOf(segmentsOf(1, 1, 1), 100, 24)).toEqual([[1, 1], [1]])
})

test('their offsets stay within the reach of an index', () => {
  const [first, second] = segmentsOf(1, 2) as [GroupedSegment, GroupedSegment]
  const near = { ...second, nextOffset: 2 ** 31 }
  const far = { ...second, nextOffset: 2 ** 31 + 1 }
  expect(sizesOf([first, near])).toEqual([[1, 2]])
  expect(sizesOf([first, far])).toEqual([[1], [2]])
})
