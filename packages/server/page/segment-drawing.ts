import type { PartitionAnswer, SegmentAnswer } from '../src/ui/answers.js'
import { element, svg } from './dom.ts'
import { bytes, count, counted, duration, time } from './format.ts'
import {
  type Axis,
  barsOf,
  type Domain,
  domainOf,
  percentOf,
  ticksOf,
  timeTicksOf,
} from './segment-scale.ts'

const barsTop = 4
const barsHeight = 34
const bandTop = barsTop + barsHeight + 3
const axisTop = bandTop + 8
const height = axisTop + 16

/**
 * A partition's segments along an axis: as high as they are large beside the largest, with what is
 * compacted below them, and, along offsets, recovery point and high watermark.
 */
export function segmentDrawing(
  partition: PartitionAnswer,
  axis: Axis,
  domain: Domain | null = domainOf([partition], axis),
): HTMLElement {
  const drawing = element('div', { class: 'drawing' })
  if (domain === null) {
    const why = partition.segments.length === 0 ? 'no segments' : 'no records'
    drawing.append(element('p', { class: 'nothing' }, partition.error ?? why))
    return drawing
  }
  const label = summaryOf(partition, axis)
  const picture = svg('svg', { role: 'img', 'aria-label': label, height, width: '100%' })
  picture.append(...axisOf(axis, domain))
  for (const { segment, x, width, share } of barsOf(partition.segments, axis, domain)) {
    const tall = Math.round(8 + share * (barsHeight - 8))
    const bar = svg(
      'rect',
      {
        class: `bar ${kindOf(segment, partition)}`,
        x: `${x}%`,
        y: barsTop + barsHeight - tall,
        width: `${Math.max(width, 0.15)}%`,
        height: tall,
        'data-base': segment.baseOffset,
      },
      svg('title', {}, segmentText(segment)),
    )
    picture.append(bar)
  }
  if (axis === 'offset') picture.append(...marksOf(partition, domain))
  drawing.append(picture)
  return drawing
}

/** What the colours and lines of a drawing mean. */
export function drawingLegend(isCompacted: boolean): HTMLElement {
  const item = (kind: string, text: string): HTMLElement =>
    element('li', {}, element('span', { class: `swatch ${kind}`, 'aria-hidden': 'true' }), text)
  return element(
    'ul',
    { class: 'legend', 'aria-label': 'Legend' },
    item('sealed', 'sealed'),
    isCompacted ? item('compacted', 'compacted') : null,
    item('active', 'active'),
    item('mark-recovery', 'recovery point'),
    item('mark-high', 'high watermark'),
    element('li', { class: 'quiet' }, 'height: size beside the largest'),
  )
}

/** `offsets 0 to 99, 1.2 MiB, …`. */
export function segmentText(segment: SegmentAnswer): string {
  const { baseOffset, nextOffset, sizeBytes, firstTimestamp, maxTimestamp, isActive } = segment
  const offsets =
    nextOffset > baseOffset
      ? `offsets ${count(baseOffset)} to ${count(nextOffset - 1)}`
      : `from offset ${count(baseOffset)}, empty`
  const times = maxTimestamp < 0 ? '' : `, ${time(firstTimestamp)} to ${time(maxTimestamp)}`
  return `${isActive ? 'active' : 'sealed'}: ${offsets}, ${bytes(sizeBytes)}${times}`
}

function summaryOf({ partition, segments, segmentCount }: PartitionAnswer, axis: Axis): string {
  const all = counted(segmentCount, 'segment')
  const shown = segments.length < segmentCount ? `the last ${segments.length} of ${all}` : all
  return `Partition ${partition} along ${axis === 'offset' ? 'offsets' : 'time'}: ${shown}`
}

function kindOf(segment: SegmentAnswer, { compactedTo }: PartitionAnswer): string {
  if (segment.isActive) return 'active'
  return compactedTo !== null && segment.nextOffset <= compactedTo ? 'compacted' : 'sealed'
}

function marksOf(partition: PartitionAnswer, domain: Domain): readonly SVGElement[] {
  const { compactedTo, logStartOffset, recoveryPoint, highWatermark } = partition
  const marks: SVGElement[] = []
  const compactedFrom = percentOf(logStartOffset, domain)
  const compactedWidth = compactedTo === null ? 0 : percentOf(compactedTo, domain) - compactedFrom
  if (compactedWidth > 0) {
    const place = { x: `${compactedFrom}%`, width: `${compactedWidth}%`, y: bandTop, height: 4 }
    const text = `compacted to offset ${count(compactedTo ?? 0)}`
    marks.push(svg('rect', { class: 'band', ...place }, svg('title', {}, text)))
  }
  const line = (offset: number, kind: string, name: string): void => {
    const x = `${percentOf(offset, domain)}%`
    const text = `${name}: offset ${count(offset)}`
    const place = { x1: x, x2: x, y1: 0, y2: axisTop }
    marks.push(svg('line', { class: kind, ...place }, svg('title', {}, text)))
  }
  line(highWatermark, 'mark-high', 'high watermark')
  line(recoveryPoint, 'mark-recovery', 'recovery point')
  return marks
}

function axisOf(axis: Axis, domain: Domain): readonly SVGElement[] {
  const parts: SVGElement[] = [
    svg('line', { class: 'axis', x1: '0%', x2: '100%', y1: axisTop, y2: axisTop }),
  ]
  const ahead = -new Date(domain.from).getTimezoneOffset() * 60_000
  const ticks = axis === 'offset' ? ticksOf(domain, 4) : timeTicksOf(domain, 4, ahead)
  for (const tick of ticks) {
    const at = percentOf(tick, domain)
    const x = `${at}%`
    const anchor = at < 6 ? 'start' : at > 92 ? 'end' : 'middle'
    const text = axis === 'offset' ? count(tick) : tickTime(tick, domain)
    parts.push(
      svg('line', { class: 'axis', x1: x, x2: x, y1: axisTop, y2: axisTop + 3 }),
      svg('text', { class: 'tick', x, y: height - 2, 'text-anchor': anchor }, text),
    )
  }
  return parts
}

/** As much of a time as its neighbours do not share. */
function tickTime(ms: number, { from, to }: Domain): string {
  const text = time(ms)
  const span = to - from
  if (span > 3 * 86_400_000) return text.slice(0, 10)
  if (span > 86_400_000) return text.slice(5, 16)
  return span > 600_000 ? text.slice(11, 16) : text.slice(11, 19)
}

/** `3 h`: how long a drawing along time is. */
export function domainSpan({ from, to }: Domain): string {
  return duration(to - from)
}
