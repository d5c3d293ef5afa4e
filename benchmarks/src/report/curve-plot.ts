import { fitPowerLaw } from '../harness/line-fit.ts'
import { colourOf, type Drawing } from './drawing.ts'
import { type LogAxis, logAxisOf, placeOn } from './log-axis.ts'
import { escapeText, shortNumber } from './markup.ts'

/** One line of a plot. */
export interface PlotCurve {
  readonly name: string
  readonly points: readonly PlotCurvePoint[]
}

export interface PlotCurvePoint {
  readonly at: number
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface CurvePlot {
  readonly title: string
  /** What the axes say. */
  readonly along: string
  readonly unit: string
  readonly curves: readonly PlotCurve[]
  /** Draws the power law through each curve, and says its exponent. */
  readonly isFitted: boolean
}

const [width, height] = [460, 290]
const frame = { left: 68, right: 14, top: 12, bottom: 46 } as const

interface Axes {
  readonly x: LogAxis
  readonly y: LogAxis
}

/** Curves over a size, both axes logarithmic. */
export function curveDrawing(plot: CurvePlot): Drawing {
  const points = plot.curves.flatMap((curve) => curve.points)
  const axes: Axes = {
    x: logAxisOf(points.map(({ at }) => at)),
    y: logAxisOf(points.flatMap(({ min, max }) => [min, max])),
  }
  const curves = plot.curves.map((curve, index) => {
    return curveMarkup(axes, curve, colourOf(index), plot.isFitted)
  })
  return {
    ...{ title: plot.title, width, height },
    body: [axisMarkup(axes, plot), ...curves].join('\n'),
    legend: plot.curves.map((curve, index) => {
      return { text: legendText(curve, plot.isFitted), colour: colourOf(index) }
    }),
  }
}

function legendText(curve: PlotCurve, isFitted: boolean): string {
  if (!isFitted) return curve.name
  const { exponent } = fitPowerLaw(curve.points.map(({ at, median }) => [at, median]))
  return `grows as the size to the power of ${exponent.toFixed(2)}`
}

function axisMarkup({ x, y }: Axes, { along, unit }: CurvePlot): string {
  const [right, bottom] = [width - frame.right, height - frame.bottom]
  const vertical = x.ticks.map((tick) => {
    const at = xOf(x, tick)
    return (
      `<line class="grid" x1="${at}" x2="${at}" y1="${frame.top}" y2="${bottom}"/>` +
      `<text class="tick" x="${at}" y="${bottom + 15}">${shortNumber(tick)}</text>`
    )
  })
  const horizontal = y.ticks.map((tick) => {
    const at = yOf(y, tick)
    return (
      `<line class="grid" x1="${frame.left}" x2="${right}" y1="${at}" y2="${at}"/>` +
      `<text class="tick y" x="${frame.left - 6}" y="${at + 3}">${shortNumber(tick)}</text>`
    )
  })
  const middle = (frame.top + bottom) / 2
  return [
    ...vertical,
    ...horizontal,
    `<text class="axis" x="${(frame.left + right) / 2}" y="${height - 6}">${escapeText(along)}</text>`,
    `<text class="axis" transform="translate(12 ${middle}) rotate(-90)">${escapeText(unit)}</text>`,
  ].join('\n')
}

function curveMarkup(axes: Axes, curve: PlotCurve, colour: string, isFitted: boolean): string {
  const at = (x: number, y: number): string => `${xOf(axes.x, x)},${yOf(axes.y, y)}`
  const drawn = curve.points.filter(({ min }) => min > 0)
  const dots = drawn.map((point) => {
    const x = xOf(axes.x, point.at)
    const title = `${curve.name}: ${shortNumber(point.median)} at ${shortNumber(point.at)}`
    return (
      `<line x1="${x}" x2="${x}" y1="${yOf(axes.y, point.min)}" y2="${yOf(axes.y, point.max)}"/>` +
      `<circle cx="${x}" cy="${yOf(axes.y, point.median)}" r="3"><title>${escapeText(title)}</title></circle>`
    )
  })
  const line = drawn.map((point) => at(point.at, point.median)).join(' ')
  const path = isFitted ? fittedLine(drawn, at) : `<polyline points="${line}"/>`
  return `<g class="curve" style="--c:${colour}">${path}${dots.join('')}</g>`
}

function fittedLine(
  points: readonly PlotCurvePoint[],
  at: (x: number, y: number) => string,
): string {
  const { exponent, factor } = fitPowerLaw(points.map((point) => [point.at, point.median]))
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || !Number.isFinite(exponent)) return ''
  const ends = [first.at, last.at].map((x) => at(x, factor * x ** exponent))
  return `<polyline class="fit" points="${ends.join(' ')}"/>`
}

function xOf(axis: LogAxis, value: number): number {
  return rounded(frame.left + placeOn(axis, value) * (width - frame.left - frame.right))
}

function yOf(axis: LogAxis, value: number): number {
  return rounded(height - frame.bottom - placeOn(axis, value) * (height - frame.top - frame.bottom))
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
