import { formatCount } from '../human.ts'

/** What the picture needs of a segment. */
export interface PicturedSegment {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly isDamaged: boolean
}

export interface SegmentPictureOptions {
  /** Oldest first; the last one is the active one. */
  readonly segments: readonly PicturedSegment[]
  /** Records before it were deleted, though their segment is still there. */
  readonly logStartOffset: number
  /** Characters for the bar itself. */
  readonly width: number
}

const sealedMarks = ['█', '▓'] as const
const activeMark = '░'
const deletedMark = '·'
const damagedMark = '×'

/**
 * The segments along the offset axis, as one line: `0 ████▓▓▓▓▓▓███░░ 1,024`. Neighbours alternate
 * in shade, and every character stands for the same number of offsets.
 */
export function renderSegmentPicture(options: SegmentPictureOptions): string {
  const { segments, logStartOffset, width } = options
  const first = segments[0]?.baseOffset ?? logStartOffset
  const end = segments.at(-1)?.nextOffset ?? first
  const span = end - first
  if (span <= 0) return `${formatCount(first)} (empty)`
  const bar: string[] = []
  let index = 0
  const columns = Math.min(width, Math.max(span, 1))
  for (let column = 0; column < columns; column += 1) {
    const offset = first + Math.floor((column * span) / columns)
    while (offset >= (segments[index + 1]?.baseOffset ?? Number.POSITIVE_INFINITY)) index += 1
    bar.push(markOf(options, index, offset))
  }
  return `${formatCount(first)} ${bar.join('')} ${formatCount(end)}`
}

/** What the marks of a picture mean. */
export const segmentPictureLegend: string = `${sealedMarks.join(' ')} sealed segments in turn, ${activeMark} the active one, ${deletedMark} deleted, ${damagedMark} damaged`

function markOf(options: SegmentPictureOptions, index: number, offset: number): string {
  const { segments, logStartOffset } = options
  if (offset < logStartOffset) return deletedMark
  if (segments[index]?.isDamaged === true) return damagedMark
  if (index === segments.length - 1) return activeMark
  return sealedMarks[index % 2] ?? sealedMarks[0]
}
