/** A line of points, drawn in the order in which they are given. */
export interface PlotLine {
  readonly name: string
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number }>
}

export interface Plot {
  readonly title: string
  readonly xTitle: string
  readonly yTitle: string
  readonly lines: readonly PlotLine[]
  /** @defaultValue linear, from 0 */
  readonly xScale?: Scale
  readonly yScale?: Scale
  /** What stands below the x axis. @defaultValue round numbers */
  readonly xTicks?: ReadonlyArray<{ readonly at: number; readonly text: string }>
}

export type Scale = 'linear' | 'logarithmic'

const width = 720
const height = 344
const left = 76
const right = 16
const top = 40
const bottom = 80
/** Told apart by those who do not see all colours (after Okabe and Ito), on white and on black. */
const colours = ['#2a87c8', '#d55e00', '#009e73', '#c96ea0', '#d09000', '#8a8f98'] as const

/**
 * A plot as SVG for a page, whose style gives `svg text` and `.grid` their colours. Lines without
 * points leave it empty.
 */
export function plotSvg(plot: Plot): string {
  const points = plot.lines.flatMap((line) => line.points)
  const xAxis = axisOf(
    points.map(({ x }) => x),
    plot.xScale ?? 'linear',
    plot.xTicks !== undefined,
  )
  const yAxis = axisOf(
    points.map(({ y }) => y),
    plot.yScale ?? 'linear',
  )
  const xAt = (value: number): number => left + xAxis.part(value) * (width - left - right)
  const yAt = (value: number): number => height - bottom - yAxis.part(value) * plotHeight
  const xTicks = plot.xTicks ?? xAxis.ticks.map((at) => ({ at, text: tickText(at) }))
  return [
    `<svg class="plot" viewBox="0 0 ${width} ${height}" role="img"`,
    ` aria-label="${escapeXml(plot.title)}" font-size="13">`,
    text(left, 20, plot.title, 'font-size="15" font-weight="600"'),
    ...yAxis.ticks.map((at) => gridLine(left, yAt(at), width - right, yAt(at))),
    ...yAxis.ticks.map((at) => text(left - 8, yAt(at) + 4, tickText(at), 'text-anchor="end"')),
    ...xTicks.map(({ at }) => gridLine(xAt(at), top, xAt(at), height - bottom)),
    ...xTicks.map(({ at, text: label }) =>
      text(xAt(at), height - bottom + 20, label, 'text-anchor="middle"'),
    ),
    text((left + width - right) / 2, height - bottom + 40, plot.xTitle, 'text-anchor="middle"'),
    text(
      0,
      0,
      plot.yTitle,
      `text-anchor="middle" transform="translate(16 ${top + plotHeight / 2}) rotate(-90)"`,
    ),
    ...plot.lines.map((line, index) => pathOf(line, colourOf(index), xAt, yAt)),
    ...legend(plot.lines),
    '</svg>',
  ].join('')
}

/** A plot as a file of its own, without a ground. */
export function plotFile(plot: Plot): string {
  const style =
    '<style>text{font-family:system-ui,sans-serif;fill:#6e7681}' +
    '.grid{stroke:#8b949e;stroke-opacity:.35}</style>'
  return plotSvg(plot)
    .replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace('>', `>${style}`)
}

/** Text that is part of XML or HTML. */
export function escapeXml(given: string): string {
  return given
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const plotHeight = height - top - bottom

interface Axis {
  /** Where a value lies between the ends, 0 to 1. */
  part(value: number): number
  readonly ticks: readonly number[]
}

/** `hasOwnTicks`: the ends need not be round. */
function axisOf(values: readonly number[], scale: Scale, hasOwnTicks = false): Axis {
  const positive = values.filter((value) => value > 0)
  const largest = positive.reduce((max, value) => Math.max(max, value), 0)
  if (scale === 'linear' || largest === 0) return linearAxis(largest)
  const smallest = positive.reduce((min, value) => Math.min(min, value), largest)
  return hasOwnTicks ? tightAxis(smallest, largest) : logarithmicAxis(smallest, largest)
}

/** From value to value, with a little room at both ends. */
function tightAxis(smallest: number, largest: number): Axis {
  const span = Math.log10(largest / smallest)
  const room = span === 0 ? 0.5 : span * 0.04
  const from = Math.log10(smallest) - room
  const part = (value: number): number =>
    value <= 0 ? 0 : Math.min(1, Math.max(0, (Math.log10(value) - from) / (span + 2 * room)))
  return { part, ticks: [] }
}

function linearAxis(largest: number): Axis {
  const step = roundStep((largest > 0 ? largest : 1) / 5)
  const count = Math.max(1, Math.ceil(largest / step - 1e-9))
  const end = step * count
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * step)
  return { part: (value) => Math.min(1, Math.max(0, value / end)), ticks }
}

/** From power of ten to power of ten. */
function logarithmicAxis(smallest: number, largest: number): Axis {
  const from = Math.floor(Math.log10(smallest))
  const to = Math.max(from + 1, Math.ceil(Math.log10(largest)))
  const ticks = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
  const part = (value: number): number =>
    value <= 0 ? 0 : Math.min(1, Math.max(0, (Math.log10(value) - from) / (to - from)))
  return { part, ticks }
}

/** 1, 2 or 5 times a power of ten, and no less than `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10) * power
}

export function tickText(value: number): string {
  if (value === 0) return '0'
  if (value >= 1e9) return `${Number((value / 1e9).toPrecision(3))} G`
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`
  return String(Number(value.toPrecision(3)))
}

function pathOf(
  { points }: PlotLine,
  colour: string,
  xAt: (value: number) => number,
  yAt: (value: number) => number,
): string {
  if (points.length === 0) return ''
  const places = points.map(({ x, y }) => `${xAt(x).toFixed(1)} ${yAt(y).toFixed(1)}`)
  const path = `<path d="M${places.join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`
  // Few points are seen better, and a single one only, as dots.
  if (points.length > 40) return path
  const dots = points.map(
    ({ x, y }) =>
      `<circle cx="${xAt(x).toFixed(1)}" cy="${yAt(y).toFixed(1)}" r="2.6" fill="${colour}"/>`,
  )
  return path + dots.join('')
}

function legend(lines: readonly PlotLine[]): readonly string[] {
  if (lines.length < 2) return []
  return lines.map(({ name }, index) => {
    const x = left + index * Math.min(112, (width - left - right) / lines.length)
    const mark = `<rect x="${x.toFixed(1)}" y="${height - 14}" width="12" height="4" fill="${colourOf(index)}"/>`
    return mark + text(x + 17, height - 8, name, '')
  })
}

function colourOf(index: number): string {
  return colours[index % colours.length] ?? colours[0]
}

function gridLine(x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((value) => value.toFixed(1))
  return `<line class="grid" x1="${a}" y1="${b}" x2="${c}" y2="${d}"/>`
}

function text(x: number, y: number, given: string, attributes: string): string {
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}"`
  return `<text ${place} ${attributes}>${escapeXml(given)}</text>`
}
