import { describe, expect, test } from 'vitest'
import type { Interval } from '../../src/measuring/interval-series.ts'
import { htmlReport, reportPlots } from '../../src/report/html-report.ts'
import { plotSvg } from '../../src/report/line-plot.ts'
import {
  machineLine,
  measurementLines,
  taskLine,
  unmetRateNote,
} from '../../src/report/summary-lines.ts'
import { interval, latency, measurement, runReport } from './report-samples.ts'

describe('a report', () => {
  const sweep = [1000, 5000, 20_000].map((rate) => {
    const sendDelay = { ...latency, p99Ms: 0.125 }
    return measurement({ rate, latencyKind: 'intended', sendDelay })
  })

  test('of several rates plots throughput, latencies, and latency against rate', () => {
    const page = htmlReport(runReport({ measurements: sweep }))
    expect(page.match(/<svg /g)).toHaveLength(4)
    expect(page).toContain('Latency against rate')
    expect(page).toContain('<td>99.99 %, ms</td><td>80</td><td>80</td><td>80</td>')
    expect(page).toContain('Latency from the intended send time.')
  })

  test('keeps times of service out of latency against rate, and says which is which', () => {
    const flatOut = measurement({})
    const page = htmlReport(runReport({ measurements: [...sweep, flatOut] }))
    expect(page).toContain('Latency from the intended send time.')
    expect(page).toContain('Service time (flat out')
    const [first, second] = [sweep, [...sweep, flatOut]].map((measurements) => {
      return reportPlots(runReport({ measurements })).find(({ title }) => title.includes('against'))
    })
    expect(second?.svg).toBe(first?.svg)
    const one = reportPlots(runReport({ measurements: [...sweep.slice(0, 1), flatOut] }))
    expect(one.map(({ title }) => title)).not.toContain('Latency against rate')
  })

  test('without a flush has no figures of flushes', () => {
    const engine = measurement({}).engine
    const none = engine === null ? null : { ...engine, flushes: 0, recordsPerFlush: 0 }
    const unflushed = measurement({ engine: none })
    expect(htmlReport(runReport({ measurements: [unflushed] }))).not.toContain('flushes/s')
    expect(measurementLines(unflushed).join('\n')).toContain('no flushes, 1.09 bytes written')
  })

  test('gives its plots as files of their own, whose colours they bring along', () => {
    const plots = reportPlots(runReport({ measurements: sweep }))
    expect(plots.map(({ title }) => title)).toContain('Latency against rate')
    for (const { svg } of plots) {
      expect(svg).toMatch(/^<svg xmlns="[^"]+" [^>]*><style>text\{[^<]*fill:#/)
    }
  })

  test('needs nothing from anywhere else', () => {
    const page = htmlReport(runReport({ measurements: sweep }))
    expect(page).not.toMatch(/\b(?:src|href)=|url\(|@import|<script|https?:/)
  })

  test('shows what it was given as text, whatever that is', () => {
    const page = htmlReport(runReport({ notes: ['<script>alert(1)</script>'] }))
    expect(page).not.toContain('<script>')
    expect(page).toContain('a &lt;fast&gt; one')
    expect(page).toContain('JSON &amp; more')
  })

  test('leaves the rest of a second at the end out of what it draws', () => {
    const rest = interval({ startSeconds: 2, seconds: 0.001, records: 1 })
    const draw = (intervals: readonly Interval[]): string =>
      htmlReport(runReport({ measurements: [measurement({ intervals })] }))
    const whole = [interval({}), interval({ startSeconds: 1 })]
    expect(draw([...whole, rest])).toBe(draw(whole))
    expect(draw([rest]).match(/<circle/g)).toHaveLength(6)
  })

  test('of reading has no latencies, and none that are zero', () => {
    const none = { latency: null, latencyKind: null, engine: null }
    const one = measurement({ ...none, intervals: [interval({}), interval({ startSeconds: 1 })] })
    const page = htmlReport(runReport({ kind: 'consume', measurements: [one] }))
    expect(page.match(/<svg /g)).toHaveLength(1)
    expect(page).not.toContain('99.9 %')
    expect(page).not.toContain('records per flush')
  })

  test('has no plot over time of a run that has a single interval', () => {
    const one = measurement({ intervals: [interval({})] })
    const page = htmlReport(runReport({ measurements: [one] }))
    expect(page).not.toContain('over time')
    expect(page).toContain('Latency by percentile')
  })

  test('says under its title what all its figures depend on', () => {
    const page = htmlReport(runReport({ measurements: sweep }))
    expect(page).toMatch(/<p class="soft">[^<]*JSON &amp; more[^<]*a &lt;fast&gt; one[^<]*Node v20/)
  })

  test('marks rates that are far apart at distances by their ratio', () => {
    const page = htmlReport(runReport({ measurements: sweep }))
    const marks = [...page.matchAll(/<text x="([\d.]+)"[^>]*>(1000|5000|20 k)<\/text>/g)]
    const at = (text: string) => Number(marks.find(([, , label]) => label === text)?.[1])
    expect((at('5000') - at('1000')) / (at('20 k') - at('5000'))).toBeCloseTo(
      Math.log(5) / Math.log(4),
      1,
    )
  })

  test('of tasks has a table of them', () => {
    const seconds = { median: 2, min: 1, max: 3, samples: [1, 2, 3] }
    const task = { name: 'recovery', bytes: 2e9, records: 10, seconds, megabytesPerSecond: 1000 }
    const page = htmlReport(runReport({ tasks: [{ ...task, details: { tornBytes: 37 } }] }))
    expect(page).toContain('<td>recovery</td><td>2,000</td><td>2.000</td><td>1.000 … 3.000</td>')
    expect(page).toContain('<dt>tornBytes</dt><dd>37</dd>')
  })
})

describe('a plot', () => {
  const lines = [{ name: 'one', points: [1, 10, 100].map((y, x) => ({ x, y })) }]
  const axes = { title: 'a < b', xTitle: 'x', yTitle: 'y' }

  test('puts powers of ten at equal distances on a logarithmic scale', () => {
    const svg = plotSvg({ ...axes, lines, yScale: 'logarithmic' })
    const heights = [...svg.matchAll(/<circle cx="[\d.]+" cy="([\d.]+)"/g)].map((match) => {
      return Number(match[1])
    })
    const [low = 0, middle = 0, high = 0] = heights
    expect(low - middle).toBeCloseTo(middle - high, 0)
    expect(low - middle).toBeGreaterThan(50)
  })

  test('lies within its frame, with ticks that are round', () => {
    const points = [3, 17, 4321].map((y, x) => ({ x: x * 7, y }))
    const svg = plotSvg({ ...axes, lines: [{ name: 'one', points }] })
    for (const [, x, y] of svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)) {
      expect(Number(x) >= 0 && Number(x) <= 720).toBe(true)
      expect(Number(y) >= 0 && Number(y) <= 344).toBe(true)
    }
    expect(svg).toContain('>5000<')
    expect(svg).toContain('a &lt; b')
  })

  test.each([[[]], [[{ x: 0, y: 0 }]]])('has numbers everywhere, of %j too', (points) => {
    for (const yScale of ['linear', 'logarithmic'] as const) {
      expect(plotSvg({ ...axes, yScale, lines: [{ name: 'one', points }] })).not.toMatch(/NaN|Inf/)
    }
  })
})

describe('lines for people', () => {
  test('tell whether latency is from the intended moment, or the time of service', () => {
    const text = measurementLines(measurement({})).join('\n')
    expect(text).toContain('service time (flat out')
    expect(text).toContain('99.9 % 60.6')
    expect(text).toContain('1000 records per flush, 10 flushes/s')
    expect(text).toContain('1.09 bytes written per byte')
    expect(text).toContain('event loop 75 % busy')
    const paced = measurement({ latencyKind: 'intended', rate: 10, sendDelay: latency })
    expect(measurementLines(paced)[0]).toContain('from the intended send time')
    expect(measurementLines(paced)[1]).toContain('sent after they were due')
  })

  test('say that a rate was not reached, and nothing where it was', () => {
    const at = (rate: number | null, seconds: number): string | null =>
      unmetRateNote(measurement({ rate, seconds, records: 50_000 }))
    expect(at(10_000, 10)).toContain('10000 records/s were not reached')
    expect(at(10_000, 10)).toContain('10 s instead of 5')
    expect(at(10_000, 5.05)).toBe(null)
    expect(at(10_000, 4)).toBe(null)
    expect(at(null, 5)).toBe(null)
  })

  test('a task tells its amount, its time and its rate', () => {
    const seconds = { median: 2, min: 1, max: 3, samples: [1, 2, 3] }
    const task = { name: 'verify', bytes: 2e9, records: 10, seconds, megabytesPerSecond: 1000 }
    expect(taskLine({ ...task, details: {} })).toBe(
      'verify: 2000 MB, 10 records in 2.000 s (1.000 … 3.000), 1000 MB/s',
    )
  })

  test('the machine is told with its disk, without the options of its mount', () => {
    const { machine } = runReport({})
    const line = machineLine({ ...machine, fileSystem: 'ext4 (rw,relatime)' })
    expect(line).toBe(
      '2 × a <fast> one, 8 GiB; Linux; Node v20; ext4 on /dev/vda1; load 0.1 0.2 0.3',
    )
  })

  test('intervals do not disturb them', () => {
    expect(measurementLines(measurement({ intervals: [interval({})] })).length).toBeGreaterThan(2)
  })
})
