import type { Interval } from '../measuring/interval-series.ts'
import type { LatencyFigures } from '../measuring/latency-histogram.ts'
import { escapeXml, type Plot, plotFile, plotSvg, tickText } from './line-plot.ts'
import { pageStyle } from './page-style.ts'
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
    `<meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeXml(title)}</title>`,
    `<style>${pageStyle}</style></head><body><h1>${escapeXml(title)}</h1>`,
    `<p class="soft">${escapeXml(subtitle(report))}</p>`,
    ...report.notes.map((note) => `<p>${escapeXml(note)}</p>`),
    ...plotsOf(report).map((plot) => `<figure>${plotSvg(plot)}</figure>`),
    ...measurementTables(report.measurements),
    ...taskTables(report.tasks),
    '<h2>Conditions</h2>',
    facts(conditionRows(report.conditions)),
    '<h2>Machine</h2>',
    facts(machineRows),
    '</body></html>\n',
  ].join('\n')
}

/**
 * The plots of a report as SVG files, each complete in itself, in colours that can be read on white
 * and on black.
 */
export function reportPlots(
  report: RunReport,
): ReadonlyArray<{ readonly title: string; readonly svg: string }> {
  return plotsOf(report).map((plot) => ({ title: plot.title, svg: `${plotFile(plot)}\n` }))
}

/** What every figure of the page depends on, in a line. */
function subtitle({ startedAt, machine, conditions }: RunReport): string {
  const { payload, acks } = conditions
  const type = machine.fileSystem.split(' ', 1)[0]
  return [
    startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'),
    ...(payload === undefined ? [] : [String(payload)]),
    ...(acks === undefined ? [] : [`acks ${acks}`]),
    `${machine.cpus} × ${machine.cpu}`,
    `${type} on ${machine.device}`,
    `Node ${machine.node}`,
  ].join(' · ')
}

function plotsOf({ measurements }: RunReport): readonly Plot[] {
  if (measurements.length === 0) return []
  const timed = measurements.filter(({ latency }) => latency !== null)
  // Flat out there is no moment to count from, so that its times are of another kind.
  const rated = timed.filter(({ rate }) => rate !== null)
  // A single interval is a figure, and stands in the table.
  const isLong = measurements.some((one) => wholeIntervals(one).length > 1)
  return [
    ...(rated.length > 1 ? [latencyAgainstRate(rated)] : []),
    ...(timed.length > 0 ? [percentiles(timed)] : []),
    ...(isLong ? [throughput(measurements)] : []),
    ...(isLong && timed.length > 0 ? [latencyOverTime(timed)] : []),
  ]
}

function nameOf({ rate }: Measurement): string {
  return rate === null ? 'flat out' : `${rate.toLocaleString('en-US')}/s`
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
    yTitle: 'latency, ms',
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
    yTitle: 'latency, ms',
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
  const rates = byRate.map(loadOf)
  // From rate to rate people multiply; as long as they are few, each has its own mark.
  const isWide = (rates.at(-1) ?? 0) > 10 * (rates[0] ?? 0)
  const isFew = isWide && rates.length <= 7
  return {
    title: 'Latency against rate',
    xTitle: 'records/s',
    ...(isWide && { xScale: 'logarithmic' }),
    ...(isFew && { xTicks: rates.map((at) => ({ at, text: tickText(at) })) }),
    yTitle: 'latency, ms',
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
  const kinds = new Set(measurements.flatMap(({ latencyKind }) => latencyKind ?? []))
  const columns = ['', ...measurements.map(nameOf)]
  const row = (name: string, of: (one: Measurement) => number | null | undefined): string[] => {
    return [name, ...measurements.map((one) => numberText(of(one)))]
  }
  const rows = [
    row('records', (one) => one.records),
    row('records/s', (one) => one.recordsPerSecond),
    row('MiB/s', (one) => one.mebibytesPerSecond),
    ...(kinds.size === 0
      ? []
      : [
          row('mean, ms', (one) => one.latency?.meanMs),
          ...percentileSteps.map(([name, , figure]) => {
            return row(`${name}, ms`, (one) => one.latency?.[figure])
          }),
          row('sent late by (99 %), ms', (one) => one.sendDelay?.p99Ms),
        ]),
    row('records per flush', (one) => flushed(one)?.recordsPerFlush),
    row('flushes/s', (one) => flushed(one)?.flushesPerSecond),
    row('bytes written per byte', (one) => one.engine?.bytesPerPayloadByte),
    row('CPU s per million records', (one) => one.process.cpuSecondsPerMillionRecords),
    row('event-loop utilisation', (one) => one.process.eventLoopUtilization),
    row('event-loop delay (99 %), ms', (one) => one.process.eventLoopDelayP99Ms),
    row('resident memory, MiB', (one) => one.process.residentMiB),
  ]
  const told = rows.filter(([, ...cells]) => cells.some((cell) => cell !== absent))
  const captions = [...kinds].map((kind) => `<p>${escapeXml(sentence(latencyNames[kind]))}</p>`)
  return ['<h2>Figures</h2>', ...captions, table(columns, told)]
}

/** Null where nothing was flushed, as at `written`. */
function flushed({ engine }: Measurement): Measurement['engine'] {
  return engine === null || engine.flushes === 0 ? null : engine
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
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
  const details = tasks.map(({ name, details: given }) =>
    Object.keys(given).length === 0
      ? ''
      : `<h3>${escapeXml(name)}</h3>${facts(conditionRows(given))}`,
  )
  return ['<h2>Figures</h2>', table(columns, rows), ...details]
}

function conditionRows(conditions: Conditions): string[][] {
  return Object.entries(conditions).map(([name, value]) => [name, String(value ?? absent)])
}

const absent = '–'

function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined) return absent
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(4)))
}

/** Names with what they are. */
function facts(rows: ReadonlyArray<readonly string[]>): string {
  const cells = rows.map(([name = '', value = '']) => {
    return `<dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd>`
  })
  return `<dl>${cells.join('')}</dl>`
}

function table(columns: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[], tag: 'td' | 'th'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`
  const head = line(columns, 'th')
  return `<div class="wide"><table>${head}${rows.map((row) => line(row, 'td')).join('')}</table></div>`
}
