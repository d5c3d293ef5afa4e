import { expect, test } from 'vitest'
import { curveDrawing } from '../../src/report/curve-plot.ts'
import { drawingFile } from '../../src/report/drawing.ts'

const points = [1, 10, 100].map((at) => ({ at, median: at * 3, min: at * 2, max: at * 4 }))
const names = ['varve', 'a <bare> group commit', 'a peer with a long name & a version 12.3.4']
const plot = {
  title: 'appends & more',
  along: 'in flight',
  unit: 'appends/s',
  curves: names.map((name) => ({ name, points })),
  isFitted: false,
}

test('a file has a name space, its own style, and everything in it that is to be read', () => {
  const file = drawingFile(curveDrawing(plot))
  expect(file).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /)
  expect(file).toContain('<style>')
  for (const text of [
    'appends &amp; more',
    'in flight',
    'appends/s',
    'a &lt;bare&gt; group commit',
  ]) {
    expect(file).toContain(text)
  }
  expect(file).not.toMatch(/var\(--(?!c\))|<script|href=|url\(/)
})

test('the legend is broken into lines that fit, below the plot', () => {
  const drawing = curveDrawing(plot)
  const file = drawingFile(drawing)
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(file) ?? []
  const marks = [...file.matchAll(/<text x="([\d.]+)" y="([\d.]+)">([^<]+)</g)]
  expect(marks).toHaveLength(3)
  for (const [, x, y, text = ''] of marks) {
    expect(Number(x) + text.length * 5).toBeLessThan(Number(width))
    expect(Number(y)).toBeGreaterThan(drawing.height)
    expect(Number(y)).toBeLessThan(Number(height))
  }
  expect(new Set(marks.map(([, , y]) => y)).size).toBeGreaterThan(1)
})
