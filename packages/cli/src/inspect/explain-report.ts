import { formatAmount, formatBytes, formatCount, formatTimestamp } from '../human.ts'
import { type Column, type LineOutput, renderTable } from '../output.ts'
import type { PartitionReport } from './partition-report.ts'
import { renderSegmentPicture } from './segment-picture.ts'
import type { SegmentReport } from './segment-report.ts'

/** Prints a partition's report for people. */
export function explainPartition(
  report: PartitionReport,
  lines: LineOutput,
  columns: number,
): void {
  const { name, segments, records, sizeBytes, logStartOffset, nextOffset } = report
  const range =
    nextOffset > logStartOffset
      ? `offsets ${formatCount(logStartOffset)} to ${formatCount(nextOffset - 1)}`
      : `empty at offset ${formatCount(nextOffset)}`
  const amounts = `${formatAmount(segments.length, 'segment')}, ${formatAmount(records, 'record')}`
  lines.line(`${name}: ${amounts}, ${formatBytes(sizeBytes)}, ${range}`)
  const state = report.closedCleanly ? 'closed cleanly' : 'open, or not closed cleanly'
  const facts = [state]
  if (report.recoveryPoint !== null)
    facts.push(`recovery point ${formatCount(report.recoveryPoint)}`)
  if (report.topicId !== null) facts.push(`topic id ${report.topicId}`)
  lines.line(`  ${facts.join(', ')}`)
  // One segment without a record has nothing to show that was not said.
  if (segments.length > 1 || sizeBytes > 0) {
    lines.line(`  ${renderPicture(report, columns)}`)
    lines.line()
    explainSegments(segments, lines)
  }
  for (const problem of report.problems) lines.line(`  ! ${problem}`)
  for (const segment of segments) {
    for (const problem of segment.problems) {
      lines.line(`  ! segment ${segment.baseOffset}: ${problem}`)
    }
  }
  for (const leftover of report.leftovers) lines.line(`  left over: ${leftover}`)
}

function renderPicture(report: PartitionReport, columns: number): string {
  const { segments, logStartOffset } = report
  const labels = `${formatCount(logStartOffset)}  ${formatCount(report.nextOffset)}`
  const pictured = segments.map(({ baseOffset, nextOffset, health }) => ({
    ...{ baseOffset, nextOffset },
    isDamaged: health === 'damaged',
  }))
  const width = Math.max(20, Math.min(columns, 100) - labels.length - 4)
  return renderSegmentPicture({ segments: pictured, logStartOffset, width })
}

/** Prints segments as a table; a column that says nothing is left out. */
export function explainSegments(segments: readonly SegmentReport[], lines: LineOutput): void {
  const hasProducers = segments.some(({ producers }) => producers > 0)
  const columns = segmentColumns.filter(({ title }) => title !== 'PRODUCERS' || hasProducers)
  const rows = segments.map((segment) => columns.map(({ cell }) => cell(segment)))
  for (const line of renderTable(columns, rows)) lines.line(`  ${line}`)
}

interface SegmentColumn extends Column {
  readonly cell: (segment: SegmentReport) => string
}

const segmentColumns: readonly SegmentColumn[] = [
  { title: 'BASE', align: 'right', cell: ({ baseOffset }) => formatCount(baseOffset) },
  { title: 'NEXT', align: 'right', cell: ({ nextOffset }) => formatCount(nextOffset) },
  { title: 'RECORDS', align: 'right', cell: ({ records }) => formatCount(records) },
  { title: 'BATCHES', align: 'right', cell: ({ batches }) => formatCount(batches) },
  { title: 'SIZE', align: 'right', cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
  { title: 'CODEC', cell: explainCompression },
  { title: 'FIRST', cell: ({ firstTimestamp }) => shortTime(firstTimestamp) },
  { title: 'LAST', cell: explainLast },
  { title: 'INDEX', align: 'right', cell: explainIndexEntries },
  { title: 'PRODUCERS', align: 'right', cell: ({ producers }) => formatCount(producers) },
  { title: 'HEALTH', cell: ({ health }) => health },
]

function explainCompression({ compression, compressionRatio }: SegmentReport): string {
  const codecs = Object.keys(compression)
  const name = codecs.length === 0 ? '-' : codecs.join('+')
  const isCompressed = codecs.some((codec) => codec !== 'none')
  return isCompressed && compressionRatio !== null
    ? `${name} ×${compressionRatio.toFixed(1)}`
    : name
}

/** Entries of the offset, time and transaction index; a dash for a file that is not there. */
function explainIndexEntries({ indexEntries }: SegmentReport): string {
  const { offset, time, transaction } = indexEntries
  const counts = transaction === null ? [offset, time] : [offset, time, transaction]
  return counts.map((count) => (count === null ? '-' : formatCount(count))).join('/')
}

/** To the second; the exact one stands in the JSON. */
function shortTime(timestamp: number | null): string {
  const text = formatTimestamp(timestamp)
  return isoPattern.test(text) ? text.slice(0, 19).replace('T', ' ') : text
}

const isoPattern = /^\d{4}-\d{2}-\d{2}T/

/** Only the time of day where it is the first one's day. */
function explainLast({ firstTimestamp, lastTimestamp }: SegmentReport): string {
  const first = shortTime(firstTimestamp)
  const last = shortTime(lastTimestamp)
  const isSameDay = last.length === first.length && last.slice(0, 10) === first.slice(0, 10)
  return isSameDay && last !== '-' ? last.slice(11) : last
}
