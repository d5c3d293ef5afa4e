import type { Figure } from '../harness/figure.ts'
import { logAxisOf, placeOn } from './log-axis.ts'
import { escapeText, shortNumber } from './markup.ts'

const [labelWidth, plotWidth, rowHeight] = [330, 360, 18]
const [top, bottom] = [8, 24]

/**
 * How figures stand to their limits or peers, on a logarithmic axis: 1 is as fast. A dot for the
 * ratio of the medians, a line from the worst to the best pair of neighbours, a tick for what is
 * asked.
 */
export function ratioPlotMarkup(title: string, figures: readonly Figure[]): string {
  const rows = figures.flatMap((figure) => {
    return figure.limit === null ? [] : [{ figure, limit: figure.limit }]
  })
  if (rows.length === 0) return ''
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
    const label = figure.name.length > 54 ? `${figure.name.slice(0, 53)}…` : figure.name
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
  const size = `viewBox="0 0 ${labelWidth + plotWidth + 30} ${height}"`
  return [
    '<figure class="ratios">',
    `<figcaption>${escapeText(title)}</figcaption>`,
    `<svg ${size} role="img" aria-label="${escapeText(title)}">`,
    ...ticks,
    ...marks,
    '</svg></figure>',
  ].join('\n')
}
