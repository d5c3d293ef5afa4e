import { describe, expect, test } from 'vitest'
import { renderSegmentPicture } from '../src/inspect/segment-picture.ts'

function segments(...bounds: readonly number[]) {
  return bounds.slice(0, -1).map((baseOffset, index) => ({
    baseOffset,
    nextOffset: bounds[index + 1] ?? baseOffset,
    isDamaged: false,
  }))
}

describe('the picture of segments', () => {
  test('gives each segment its share of the axis, in alternating shades, the active one last', () => {
    const picture = { segments: segments(0, 500, 750, 1000), logStartOffset: 0, width: 20 }
    expect(renderSegmentPicture(picture)).toBe('0 ██████████▓▓▓▓▓░░░░░ 1,000')
  })

  test('marks what is deleted and what is damaged', () => {
    const [first, second, third] = segments(0, 10, 20, 30)
    if (!first || !second || !third) throw new Error('three segments')
    const damaged = [first, { ...second, isDamaged: true }, third]
    const picture = { segments: damaged, logStartOffset: 5, width: 30 }
    expect(renderSegmentPicture(picture)).toBe('0 ·····█████××××××××××░░░░░░░░░░ 30')
  })

  test('has no more characters than there are offsets, and none for an empty log', () => {
    expect(renderSegmentPicture({ segments: segments(7, 10), logStartOffset: 7, width: 80 })).toBe(
      '7 ░░░ 10',
    )
    expect(renderSegmentPicture({ segments: segments(7, 7), logStartOffset: 7, width: 80 })).toBe(
      '7 (empty)',
    )
  })

  test('keeps its width with more segments than characters', () => {
    const bounds = Array.from({ length: 1001 }, (_, index) => index * 10)
    const picture = { segments: segments(...bounds), logStartOffset: 0, width: 50 }
    expect(renderSegmentPicture(picture)).toMatch(/^0 [█▓░]{50} 10,000$/)
  })
})
