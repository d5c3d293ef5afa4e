import type { PartitionAnswer, SegmentAnswer } from '../src/ui/answers.js'

/** What segments are drawn along. */
export type Axis = 'offset' | 'time'

/** The stretch of an axis that is drawn; `to` is greater than `from`. */
export interface Domain {
  readonly from: number
  readonly to: number
}

/** A segment's place on an axis, in percent. */
export interface Bar {
  readonly segment: SegmentAnswer
  readonly x: number
  readonly width: number
  /** Its size beside that of the largest: 0 to 1. */
  readonly share: number
}

/** What is drawn of partitions together; null where there is nothing to draw. */
export function domainOf(partitions: readonly PartitionAnswer[], axis: Axis): Domain | null {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const { segments, logStartOffset, logEndOffset } of partitions) {
    if (axis === 'offset' && segments.length > 0 && logEndOffset > logStartOffset) {
      from = Math.min(from, segments[0]?.baseOffset ?? logStartOffset)
      to = Math.max(to, logEndOffset)
    }
    if (axis === 'offset') continue
    for (const segment of segments) {
      if (!hasTime(segment)) continue
      from = Math.min(from, segment.firstTimestamp)
      to = Math.max(to, segment.maxTimestamp)
    }
  }
  if (from > to) return null
  return from === to ? { from: from - 1, to: to + 1 } : { from, to }
}

/** The segments that can be placed on an axis. */
export function barsOf(
  segments: readonly SegmentAnswer[],
  axis: Axis,
  domain: Domain,
): readonly Bar[] {
  const largest = Math.max(1, ...segments.map(({ sizeBytes }) => sizeBytes))
  const bars: Bar[] = []
  for (const segment of segments) {
    if (axis === 'time' && !hasTime(segment)) continue
    const from = axis === 'offset' ? segment.baseOffset : segment.firstTimestamp
    const to = axis === 'offset' ? segment.nextOffset : segment.maxTimestamp
    const x = percentOf(from, domain)
    const width = Math.max(percentOf(to, domain) - x, 0)
    bars.push({ segment, x, width, share: segment.sizeBytes / largest })
  }
  return bars
}

/** Where a value lies on an axis, in percent, not beyond its ends. */
export function percentOf(value: number, { from, to }: Domain): number {
  const share = (value - from) / (to - from)
  return Math.round(Math.min(1, Math.max(0, share)) * 1e5) / 1000
}

/** Round numbers on an axis, about as many as are wanted. */
export function ticksOf({ from, to }: Domain, wanted: number): readonly number[] {
  const rough = (to - from) / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = Math.max(1, power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10))
  return multiples(from, to, step)
}

const secondMs = 1000
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600]
  .concat([43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000])
  .map((seconds) => seconds * secondMs)

/** Round times, by the clock of a zone that is so many ms ahead of UTC. */
export function timeTicksOf({ from, to }: Domain, wanted: number, aheadMs = 0): readonly number[] {
  const rough = (to - from) / wanted
  if (rough < secondMs) return ticksOf({ from, to }, wanted)
  const step = timeSteps.find((each) => each >= rough) ?? Math.ceil(rough)
  return multiples(from + aheadMs, to + aheadMs, step).map((tick) => tick - aheadMs)
}

function multiples(from: number, to: number, step: number): readonly number[] {
  const ticks: number[] = []
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick)
  return ticks
}

function hasTime({ firstTimestamp, maxTimestamp }: SegmentAnswer): boolean {
  return firstTimestamp >= 0 && maxTimestamp >= 0
}
