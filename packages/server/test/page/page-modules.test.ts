import { expect, test } from 'vitest'
import { bestView, hexDump, prettyJson, preview, shownAs } from '../../page/byte-text.ts'
import {
  ago,
  bytes,
  count,
  counted,
  duration,
  limit,
  oneLine,
  percent,
  ranges,
  roughly,
  time,
  visible,
} from '../../page/format.ts'
import { groupLink, partitionLink, routeOf, topicLink } from '../../page/page-route.ts'
import { barsOf, domainOf, percentOf, ticksOf, timeTicksOf } from '../../page/segment-scale.ts'
import type { PartitionAnswer, SegmentAnswer } from '../../src/ui/answers.ts'

test('numbers, sizes and times are written for people', () => {
  expect(count(1234567)).toBe('1,234,567')
  expect(counted(1, 'record')).toBe('1 record')
  expect(counted(0, 'record')).toBe('0 records')
  expect(roughly(1234)).toBe('1.23 k')
  expect(bytes(1023)).toBe('1,023 B')
  expect(bytes(1536)).toBe('1.5 KiB')
  expect(bytes(2 ** 40)).toBe('1 TiB')
  expect(duration(999)).toBe('999 ms')
  expect(duration(90_000)).toBe('1.5 min')
  expect(duration(7 * 86_400_000)).toBe('7 d')
  expect(ago(0, 3_600_000)).toBe('1 h ago')
  expect(ago(5000, 0)).toBe('in 5 s')
  expect(percent(0.4567)).toBe('45.7 %')
  expect(limit(-1, bytes)).toBe('no limit')
  expect(ranges([0, 1, 2, 5, 7, 8])).toBe('0–2, 5, 7–8')
  expect(ranges([])).toBe('')
  expect(time(-1)).toBe('–')
  expect(time(9e15)).toBe(String(9e15))
})

test('what browsers hide, or what turns text around, is shown as what it is', () => {
  expect(visible('a\u202eb\u0000c\u001b[2J')).toBe('a\\u202eb␀c␛[2J')
  expect(visible('line\n\tline')).toBe('line\n\tline')
  expect(oneLine('a\n  b')).toBe('a ⏎ b')
})

test('JSON is indented by its text: numbers and doubled names stay as they are', () => {
  const text = '{"n":12345678901234567890.10,"n":"a,b:{}","e":{},"l":[1,[]]}'
  const shown = prettyJson({ size: text.length, shown: text.length, text })
  expect(shown).toBe(
    '{\n  "n": 12345678901234567890.10,\n  "n": "a,b:{}",\n  "e": {},\n  "l": [\n    1,\n    []\n  ]\n}',
  )
  expect(shown?.replace(/\n\s*|(?<=:) /g, '')).toBe(text)
  expect(prettyJson({ size: 3, shown: 3, text: '{"a' })).toBeNull()
  expect(prettyJson({ size: 900, shown: 2, text: '{}' })).toBeNull()
  expect(prettyJson({ size: 2, shown: 2, text: '12' })).toBeNull()
})

test('bytes are looked at as what they are first, and as anything then', () => {
  const binary = { size: 4, shown: 4, base64: Buffer.from([0, 255, 65, 66]).toString('base64') }
  expect(bestView(binary)).toBe('hex')
  expect(bestView({ size: 2, shown: 2, text: '{}' })).toBe('json')
  expect(bestView({ size: 2, shown: 2, text: 'ab' })).toBe('text')
  expect(shownAs(binary, 'hex')).toBe(hexDump(Uint8Array.from([0, 255, 65, 66])))
  expect(shownAs(binary, 'hex')).toMatch(/^00000000 {2}00 ff 41 42 .*··AB$/)
  expect(shownAs(binary, 'text')).toContain('AB')
  expect(shownAs({ size: 2, shown: 2, text: 'ab' }, 'json')).toContain('not JSON')
  expect(preview(null)).toBe('null')
  expect(preview({ size: 0, shown: 0, text: '' })).toBe('empty')
  expect(preview(binary)).toBe('00 ff 41 42')
  expect(preview({ size: 900, shown: 3, text: 'a\nb' })).toBe('a ⏎ b …')
})

test('an address leads to what it names, whatever the name is', () => {
  expect(routeOf('')).toEqual({ view: 'topics' })
  expect(routeOf('#/server')).toEqual({ view: 'server' })
  expect(routeOf('#/elsewhere')).toEqual({ view: 'unknown' })
  expect(routeOf('#/topics/t/elsewhere')).toEqual({ view: 'unknown' })
  expect(routeOf('#/topics/t')).toEqual({ view: 'topic', topic: 't', tab: 'partitions' })
  const strange = 'a/b?c#d %'
  expect(routeOf(groupLink(strange))).toEqual({ view: 'group', group: strange })
  expect(routeOf(topicLink('t', 'records'))).toEqual({ view: 'topic', topic: 't', tab: 'records' })
  expect(routeOf(partitionLink('t', 3))).toEqual({ view: 'partition', topic: 't', partition: 3 })
})

function segment(baseOffset: number, nextOffset: number, times: readonly [number, number]) {
  const [firstTimestamp, maxTimestamp] = times
  const sizeBytes = 10 * (nextOffset - baseOffset)
  return { baseOffset, nextOffset, sizeBytes, firstTimestamp, maxTimestamp, isActive: false }
}

function partitionOf(segments: readonly SegmentAnswer[]): PartitionAnswer {
  const end = segments.at(-1)?.nextOffset ?? 0
  const offsets = { logStartOffset: segments[0]?.baseOffset ?? 0, highWatermark: end }
  const others = { lastStableOffset: end, flushedOffset: end, recoveryPoint: end, leaderEpoch: 0 }
  return {
    ...{ partition: 0, error: null, ...offsets, ...others, logEndOffset: end, compactedTo: null },
    ...{ sizeBytes: 0, segmentCount: segments.length, segments },
  }
}

test('segments lie on both axes where their offsets and times are', () => {
  const segments = [segment(0, 50, [1000, 1400]), segment(50, 100, [1500, 3000])]
  const partition = partitionOf([...segments, segment(100, 100, [-1, -1])])
  const offsets = domainOf([partition], 'offset')
  expect(offsets).toEqual({ from: 0, to: 100 })
  const bars = barsOf(partition.segments, 'offset', offsets ?? { from: 0, to: 1 })
  expect(bars.map(({ x, width }) => [x, width])).toEqual([
    [0, 50],
    [50, 50],
    [100, 0],
  ])
  const times = domainOf([partition], 'time') ?? { from: 0, to: 1 }
  expect(times).toEqual({ from: 1000, to: 3000 })
  expect(barsOf(partition.segments, 'time', times).map(({ x, width }) => [x, width])).toEqual([
    [0, 20],
    [25, 75],
  ])
  expect(domainOf([partitionOf([])], 'offset')).toBeNull()
  expect(domainOf([partitionOf([segment(0, 0, [-1, -1])])], 'time')).toBeNull()
  expect(percentOf(-5, times)).toBe(0)
})

test('ticks are round, few, and inside', () => {
  expect(ticksOf({ from: 0, to: 1000 }, 4)).toEqual([0, 500, 1000])
  expect(ticksOf({ from: 3, to: 5 }, 4)).toEqual([3, 4, 5])
  const day = 86_400_000
  expect(timeTicksOf({ from: 100, to: 3 * day }, 4)).toEqual([1, 2, 3].map((each) => each * day))
  expect(timeTicksOf({ from: 0, to: day }, 2, 3_600_000)[0]).toBe(day / 2 - 3_600_000)
})
