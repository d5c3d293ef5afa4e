import { expect, test } from 'vitest'
import type { Figure } from '../../src/harness/figure.ts'
import type { Report } from '../../src/harness/report.ts'
import { spreadOf } from '../../src/harness/statistics.ts'
import { reportPage } from '../../src/report/report-page.ts'

const machine = {
  cpu: 'A & B',
  cpus: 2,
  memoryGiB: 8,
  kernel: 'Linux',
  node: 'v20',
  fileSystem: 'ext4',
  device: '/dev/disk',
  commit: null,
  loadAverage: [0, 0, 0],
}

function figureAt(at: number, value: number, rival: number | null): Figure {
  const limit = rival && {
    name: 'peer <1>',
    value: spreadOf([rival]),
    ratioOfMedians: value / rival,
    pairwiseRatio: spreadOf([value / rival]),
  }
  return {
    name: `${at} in flight`,
    unit: 'appends/s',
    value: spreadOf([value, value * 1.1, value * 0.9]),
    limit: limit || null,
    bar: limit ? { kind: 'ratio', atLeast: 1 } : null,
    verdict: limit ? { isMet: value > rival, margin: 0 } : null,
    hash: 'abcd',
    aside: [{ name: 'loop busy', value: spreadOf([0.5]), limit: null }],
    plot: { curve: 'appends', along: 'in flight', at },
    conditions: { payload: 'JSON "events"' },
  }
}

function pageOf(figures: readonly Figure[]): string {
  const benchmark = { name: 'peers', summary: 'beside others', seconds: 1, figures }
  const startedAt = '2026-11-21T00:00:00Z'
  const report: Report = { startedAt, isSmoke: false, repeat: 3, machine, benchmarks: [benchmark] }
  return reportPage([{ name: 'result', report }])
}

test('a page has everything in it: nothing is loaded, and no script runs', () => {
  const page = pageOf([figureAt(1, 10, 20), figureAt(64, 1_000, 500)])
  expect(page).not.toMatch(/<script|<link|src=|@import|url\(|https?:/)
  expect(page).toContain('A &amp; B')
  expect(page).toContain('peer &lt;1&gt;')
  expect(page).not.toContain('peer <1>')
})

test('peers are drawn as curves of one plot, and their ratios in another', () => {
  const page = pageOf([figureAt(1, 10, 20), figureAt(64, 1_000, 500)])
  expect(page.match(/<g class="curve"/g)).toHaveLength(2)
  expect(page.match(/<g class="met"/g)).toHaveLength(1)
  expect(page.match(/<g class="missed"/g)).toHaveLength(1)
  expect(page).not.toContain('to the power of')
})

test('what grows is drawn with the power law through it', () => {
  const page = pageOf([figureAt(1, 10, null), figureAt(10, 100, null), figureAt(100, 1_000, null)])
  expect(page).toContain('class="fit"')
  expect(page).toContain('grows as the size to the power of 1.00')
})

test('everything that is drawn lies in its drawing', () => {
  const page = pageOf([figureAt(1, 0.003, 20_000), figureAt(8_192, 4e6, 5e6)])
  for (const [drawing, width, height] of page.matchAll(
    /<svg [^>]*viewBox="0 0 (\d+) (\d+)".*?<\/svg>/gs,
  )) {
    const places = [...drawing.matchAll(/\b(?:c?(x|y)[12]?)="(-?[\d.]+)"/g)]
    expect(places.length).toBeGreaterThan(10)
    for (const [, axis, at] of places) {
      const max = Number(axis === 'x' ? width : height)
      expect(Number(at)).toBeGreaterThanOrEqual(0)
      expect(Number(at)).toBeLessThanOrEqual(max)
    }
  }
})

test('what is less than asked is told apart in the legend too', () => {
  expect(pageOf([figureAt(1, 10, 20)])).toContain('less than what is asked')
  expect(pageOf([figureAt(1, 30, 20)])).not.toContain('less than what is asked')
})
