import type { Figure } from '../harness/figure.ts'
import type { Report } from '../harness/report.ts'
import { drawingFigure } from './drawing.ts'
import { drawingsOf } from './drawings.ts'
import { escapeText, shortNumber } from './markup.ts'
import { pageStyle } from './page-style.ts'

type BenchmarkResult = Report['benchmarks'][number]

/** A result file, by what it is called. */
export interface NamedReport {
  readonly name: string
  readonly report: Report
}

/** One page of HTML of all results, with everything in it that it needs. */
export function reportPage(reports: readonly NamedReport[]): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Varve: benchmarks</title><style>${pageStyle}</style></head><body>`,
    '<h1>Varve: benchmarks</h1>',
    contents(reports),
    ...reports.map(reportSection),
    '</body></html>',
    '',
  ].join('\n')
}

function contents(reports: readonly NamedReport[]): string {
  const items = reports.map(({ name, report }) => {
    const links = report.benchmarks.map((benchmark) => {
      return `<a href="#${idOf(name, benchmark)}">${escapeText(benchmark.name)}</a>`
    })
    return `<li>${escapeText(name)}: ${links.join(', ')}</li>`
  })
  return `<nav><ul>${items.join('')}</ul></nav>`
}

function idOf(file: string, { name }: BenchmarkResult): string {
  return encodeURIComponent(`${file}-${name}`.replaceAll(' ', '-'))
}

function reportSection({ name, report }: NamedReport): string {
  const { machine, repeat, isSmoke, startedAt } = report
  const facts = {
    started: startedAt,
    machine: `${machine.cpus} × ${machine.cpu}, ${machine.memoryGiB} GiB`,
    system: `${machine.kernel}, Node ${machine.node}`,
    'data on': `${machine.device}, ${machine.fileSystem}`,
    commit: machine.commit ?? 'unknown',
    load: machine.loadAverage.join(' '),
    repeats: `${repeat}${isSmoke ? ', smoke: the figures mean nothing' : ''}`,
  }
  const rows = Object.entries(facts).map(([fact, value]) => {
    return `<dt>${escapeText(fact)}</dt><dd>${escapeText(value)}</dd>`
  })
  return [
    `<section><h2>${escapeText(name)}</h2><dl>${rows.join('')}</dl>`,
    ...report.benchmarks.map((benchmark) => benchmarkSection(name, benchmark)),
    '</section>',
  ].join('\n')
}

function benchmarkSection(file: string, benchmark: BenchmarkResult): string {
  const { name, summary, figures } = benchmark
  return [
    `<article id="${idOf(file, benchmark)}"><h3>${escapeText(name)}</h3>`,
    `<p>${escapeText(summary)}</p>`,
    `<div class="plots">${drawingsOf(benchmark).map(drawingFigure).join('\n')}</div>`,
    `<details><summary>${figures.length} figures</summary>${table(figures)}</details>`,
    conditionsOf(benchmark),
    '</article>',
  ].join('\n')
}

function table(figures: readonly Figure[]): string {
  const asides = [...new Set(figures.flatMap(({ aside = [] }) => aside.map(({ name }) => name)))]
  const head = ['figure', 'median', 'min … max', 'beside', 'of it', ...asides, 'asked', '', 'hash']
  const rows = figures.map((figure) => {
    const { name, unit, value, limit, verdict, hash } = figure
    const cells = [
      name,
      unit === 'exponent' ? shortNumber(value.median) : `${shortNumber(value.median)} ${unit}`,
      `${shortNumber(value.min)} … ${shortNumber(value.max)}`,
      limit === null ? '' : `${limit.name}: ${shortNumber(limit.value.median)}`,
      limit === null ? '' : limit.ratioOfMedians.toFixed(2),
      ...asides.map((aside) => asideText(figure, aside)),
      askedText(figure),
      verdict === null ? '' : verdict.isMet ? 'met' : 'missed',
      hash,
    ]
    return `<tr>${cells.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`
  })
  const heads = head.map((title) => `<th>${escapeText(title)}</th>`).join('')
  return `<table><thead><tr>${heads}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`
}

function asideText({ aside = [] }: Figure, name: string): string {
  const found = aside.find((one) => one.name === name)
  if (found === undefined) return ''
  const both = found.limit === null ? [found.value] : [found.value, found.limit]
  return both.map(({ median }) => shortNumber(median)).join(' / ')
}

function askedText({ bar }: Figure): string {
  if (bar === null) return ''
  if (bar.kind === 'ratio') return `≥ ${bar.atLeast} of it`
  return 'atLeast' in bar ? `≥ ${shortNumber(bar.atLeast)}` : `≤ ${shortNumber(bar.atMost)}`
}

function conditionsOf({ figures, flushPolicy }: BenchmarkResult): string {
  const values = new Map<string, Set<string>>()
  if (flushPolicy !== undefined) values.set('flush policy', new Set([flushPolicy]))
  for (const { conditions } of figures) {
    for (const [name, value] of Object.entries(conditions)) {
      values.set(name, (values.get(name) ?? new Set()).add(String(value)))
    }
  }
  const rows = [...values].map(([name, all]) => {
    return `<dt>${escapeText(name)}</dt><dd>${escapeText([...all].join('; '))}</dd>`
  })
  return rows.length === 0 ? '' : `<dl>${rows.join('')}</dl>`
}
