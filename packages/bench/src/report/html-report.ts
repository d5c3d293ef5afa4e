import type { Interval } from '../measuring/interval-series.ts'
import type { LatencyFigures } from '../measuring/latency-histogram.ts'
import { escapeXml, type Plot, plotSvg } from './line-plot.ts'
import type { Conditions, LatencyKind, Measurement, RunReport, TaskFigure } from './run-report.ts'

/** What each kind of latency is the time of, for people. */
export const latencyNames: Readonly<Record<LatencyKind, string>> = {
  intended: 'latency from the intended send time',
  service: 'service time (flat out: says nothing of what a user would wait)',
  'end-to-end': 'latency from end to end',
}

/** A page that needs nothing from anywhere else: figures as tables, plots as SVG. */
export function htmlReport(report: RunReport): string {
  const title = `varve bench ${report.kind}`
  const { machine } = report
  const machineRows = Object.entries(machine).map(([name, value]): readonly [string, string] => {
    return [name, Array.isArray(value) ? value.join(' ') : String(value)]
  })
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta name="viewport" content="width=device-width"><title>${escapeXml(title)}</title>`,
    `<style>${style}</style></head><body><h1>${escapeXml(title)}</h1>`,
    `<p>${escapeXml(report.startedAt)}</p>`,
    ...report.notes.map((note) => `<p>${escapeXml(note)}</p>`),
    ...plotsOf(report).map((plot) => `<figure>${plotSvg(plot)}</figure>`),
    ...measurementTables(report.measurements),
    ...taskTables(report.tasks),
    '<h2>Conditions</h2>',
    table(['', ''], conditionRows(report.conditions)),
    '<h2>Machine</h2>',
    table(['', ''], machineRows),
    '</body></html>\n',
  ].join('\n')
}

const style =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:860px;margin:2em auto;padding:0 1em;color:#222}' +
  'table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .8em;text-align:right;' +
  'border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}figure{margin:1.5em 0}'

function plotsOf({ measurements }: RunReport): readonly Plot[] {
  if (measurements.length === 0) return []
  const timed = measurements.filter(({ latency }) => latency !== null)
  return [
    throughput(measurements),
    ...(timed.length === 0 ? [] : [latencyOverTime(timed), percentiles(timed)]),
    ...(timed.length > 1 ? [latencyAgainstRate(timed)] : []),
  ]
}

function nameOf({ rate }: Measurement): string {
  return rate === null ? 'flat out' : `${rate}/s`
}

function throughput(measurements: readonly Measurement[]): Plot {
  return {
    title: 'Throughput over time',
    xTitle: 'seconds',
    yTitle: 'records/s',
    lines: measurements.map((measurement) => ({
      name: nameOf(measurement),
      points: wholeIntervals(measurement).map(({ startSeconds, seconds, records }) => {
        return { x: startSeconds + seconds / 2, y: seconds > 0 ? records / seconds : 0 }
      }),
    })),
  }
}

/** Without the rest at the end, which is too short to have a rate, unless there is nothing else. */
function wholeIntervals({ intervals }: Measurement): readonly Interval[] {
  const longest = intervals.reduce((most, { seconds }) => Math.max(most, seconds), 0)
  return intervals.filter(({ seconds }) => seconds >= longest / 2)
}

function latencyOverTime(measurements: readonly Measurement[]): Plot {
  return {
    title: '99th percentile over time',
    xTitle: 'seconds',
    yTitle: 'ms',
    yScale: 'logarithmic',
    lines: measurements.map((measurement) => ({
      name: nameOf(measurement),
      points: wholeIntervals(measurement)
        .filter(({ records }) => records > 0)
        .map(({ startSeconds, seconds, p99Ms }) => ({ x: startSeconds + seconds / 2, y: p99Ms })),
    })),
  }
}

/** The x axis of HdrHistogram's plots: each step is a tenth of what is left. */
const percentileSteps = [
  ['50 %', 2, 'p50Ms'],
  ['95 %', 20, 'p95Ms'],
  ['99 %', 100, 'p99Ms'],
  ['99.9 %', 1000, 'p999Ms'],
  ['99.99 %', 10_000, 'p9999Ms'],
  ['max', 100_000, 'maxMs'],
] as const satisfies ReadonlyArray<readonly [string, number, keyof LatencyFigures]>

function percentiles(measurements: readonly Measurement[]): Plot {
  return {
    title: 'Latency by percentile',
    xTitle: 'percentile',
    yTitle: 'ms',
    xScale: 'logarithmic',
    yScale: 'logarithmic',
    xTicks: percentileSteps.map(([name, at]) => ({ at, text: name })),
    lines: measurements.map((measurement) => ({
      name: nameOf(measurement),
      points: percentileSteps.map(([, x, figure]) => ({
        x,
        y: measurement.latency?.[figure] ?? 0,
      })),
    })),
  }
}

/** Where the lines turn up is what the system bears. */
function latencyAgainstRate(measurements: readonly Measurement[]): Plot {
  const figures = ['p50Ms', 'p99Ms', 'p999Ms', 'maxMs'] as const
  const names = { p50Ms: '50 %', p99Ms: '99 %', p999Ms: '99.9 %', maxMs: 'max' }
  const byRate = measurements.toSorted((a, b) => loadOf(a) - loadOf(b))
  return {
    title: 'Latency against rate',
    xTitle: 'records/s',
    yTitle: 'ms',
    yScale: 'logarithmic',
    lines: figures.map((figure) => ({
      name: names[figure],
      points: byRate.map((one) => ({ x: loadOf(one), y: one.latency?.[figure] ?? 0 })),
    })),
  }
}

function loadOf({ rate, recordsPerSecond }: Measurement): number {
  return rate ?? recordsPerSecond
}

function measurementTables(measurements: readonly Measurement[]): readonly string[] {
  if (measurements.length === 0) return []
  const kind = measurements[0]?.latencyKind ?? null
  const columns = ['', ...measurements.map(nameOf)]
  const row = (name: string, of: (one: Measurement) => number | null | undefined): string[] => {
    return [name, ...measurements.map((one) => numberText(of(one)))]
  }
  const rows = [
    row('records', (one) => one.records),
    row('records/s', (one) => one.recordsPerSecond),
    row('MiB/s', (one) => one.mebibytesPerSecond),
    ...(kind === null
      ? []
      : [
          row('mean, ms', (one) => one.latency?.meanMs),
          ...percentileSteps.map(([name, , figure]) => {
            return row(`${name}, ms`, (one) => one.latency?.[figure])
          }),
          row('sent late by (99 %), ms', (one) => one.sendDelay?.p99Ms),
        ]),
    row('records per flush', (one) => one.engine?.recordsPerFlush),
    row('flushes/s', (one) => one.engine?.flushesPerSecond),
    row('bytes written per byte', (one) => one.engine?.bytesPerPayloadByte),
    row('CPU s per million records', (one) => one.process.cpuSecondsPerMillionRecords),
    row('event-loop utilisation', (one) => one.process.eventLoopUtilization),
    row('event-loop delay (99 %), ms', (one) => one.process.eventLoopDelayP99Ms),
    row('resident memory, MiB', (one) => one.process.residentMiB),
  ]
  const caption = kind === null ? '' : `<p>Latency: ${escapeXml(latencyNames[kind])}.</p>`
  return ['<h2>Figures</h2>', caption, table(columns, rows)]
}

function taskTables(tasks: readonly TaskFigure[]): readonly string[] {
  if (tasks.length === 0) return []
  const rows = tasks.map(({ name, bytes, seconds, megabytesPerSecond }) => [
    name,
    numberText(bytes / 1e6),
    seconds.median.toFixed(3),
    `${seconds.min.toFixed(3)} … ${seconds.max.toFixed(3)}`,
    numberText(megabytesPerSecond),
  ])
  const columns = ['', 'MB', 's (median)', 's (min … max)', 'MB/s']
  const details = tasks.map(({ name, details: facts }) =>
    Object.keys(facts).length === 0
      ? ''
      : `<h3>${escapeXml(name)}</h3>${table(['', ''], conditionRows(facts))}`,
  )
  return ['<h2>Figures</h2>', table(columns, rows), ...details]
}

function conditionRows(conditions: Conditions): string[][] {
  return Object.entries(conditions).map(([name, value]) => [name, String(value ?? '-')])
}

function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(4)))
}

function table(columns: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[], tag: 'td' | 'th'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`
  const head = columns.every((column) => column === '') ? '' : line(columns, 'th')
  return `<table>${head}${rows.map((row) => line(row, 'td')).join('')}</table>`
}
