import type { Figure } from '../harness/figure.ts'
import { type Drawing, metColour, missedColour } from './drawing.ts'
import { logAxisOf, placeOn } from './log-axis.ts'
import { escapeText, shortNumber } from './markup.ts'

const [labelWidth, plotWidth, rowHeight] = [370, 350, 18]
const [top, bottom] = [8, 42]
const labelLengthMax = 56

/**
 * How figures stand to their limits or peers, on a logarithmic axis: 1 is as fast. A dot for the
 * ratio of the medians, a line from the worst to the best pair of neighbours, a tick for what is
 * asked.
 */
export function ratioDrawing(title: string, figures: readonly Figure[]): Drawing | null {
  const rows = figures.flatMap((figure) => {
    return figure.limit === null ? [] : [{ figure, limit: figure.limit }]
  })
  if (rows.length === 0) return null
  const axis = logAxisOf([
    1,
    ...rows.flatMap(({ limit }) => [limit.pairwiseRatio.min, limit.pairwiseRatio.max]),
    ...rows.map(({ limit }) => limit.ratioOfMedians),
  ])
  const x = (ratio: number): string => (labelWidth + placeOn(axis, ratio) * plotWidth).toFixed(1)
  const height = top + rows.length * rowHeight + bottom
  const ground = height - bottom
  const ticks = axis.ticks.map((tick) => {
    const kind = tick === 1 ? 'grid one' : 'grid'
    return (
      `<line class="${kind}" x1="${x(tick)}" x2="${x(tick)}" y1="${top}" y2="${ground}"/>` +
      `<text class="tick" x="${x(tick)}" y="${ground + 14}">${shortNumber(tick)}</text>`
    )
  })
  const marks = rows.map(({ figure, limit }, index) => {
    const y = top + index * rowHeight + rowHeight / 2
    const { min, max } = limit.pairwiseRatio
    const asked = figure.bar?.kind === 'ratio' ? figure.bar.atLeast : null
    const state = figure.verdict?.isMet === false ? 'missed' : 'met'
    const label = labelOf(figure.name)
    return [
      `<text class="label" x="${labelWidth - 8}" y="${y + 4}">${escapeText(label)}`,
      `<title>${escapeText(`${figure.name}: ${limit.ratioOfMedians.toFixed(2)} of ${limit.name}`)}</title></text>`,
      `<g class="${state}"><line x1="${x(min)}" x2="${x(max)}" y1="${y}" y2="${y}"/>`,
      `<circle cx="${x(limit.ratioOfMedians)}" cy="${y}" r="4"/>`,
      asked === null
        ? ''
        : `<line class="asked" x1="${x(asked)}" x2="${x(asked)}" y1="${y - 6}" y2="${y + 6}"/>`,
      '</g>',
    ].join('')
  })
  const along = 'as a ratio to what it is set beside; 1 is as fast'
  const middle = labelWidth + plotWidth / 2
  const isMissed = rows.some(({ figure }) => figure.verdict?.isMet === false)
  return {
    title,
    width: labelWidth + plotWidth + 30,
    height,
    body: [
      ...ticks,
      ...marks,
      `<text class="axis" x="${middle}" y="${ground + 34}">${along}</text>`,
    ].join('\n'),
    legend: [
      { text: 'median, worst and best pair; a tick where something is asked', colour: metColour },
      ...(isMissed ? [{ text: 'less than what is asked', colour: missedColour }] : []),
    ],
  }
}

function labelOf(name: string): string {
  return name.length > labelLengthMax ? `${name.slice(0, labelLengthMax - 1)}…` : name
}
