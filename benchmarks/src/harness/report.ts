import type { Bar, Figure, Unit, Verdict } from './figure.ts'
import type { Machine } from './machine.ts'
import type { Spread } from './statistics.ts'

/** What `--json` writes. */
export interface Report {
  readonly startedAt: string
  readonly isSmoke: boolean
  readonly repeat: number
  readonly machine: Machine
  readonly benchmarks: readonly {
    readonly name: string
    readonly summary: string
    /** When what it writes has to be on the disk; not in files of older runs. */
    readonly flushPolicy?: string
    /** How often it was measured; not in files of older runs. */
    readonly repeat?: number
    readonly seconds: number
    readonly figures: readonly Figure[]
  }[]
}

type BenchmarkResult = Report['benchmarks'][number]

const firstColumns = ['figure', 'median (min … max)', 'limit', 'of limit', 'pairwise']
const lastColumns = ['bar', '', 'hash']

export function machineText(machine: Machine): string {
  const { cpu, cpus, memoryGiB, kernel, node, fileSystem, device, commit, loadAverage } = machine
  return [
    `machine    ${cpus} × ${cpu}, ${memoryGiB} GiB`,
    `system     ${kernel}, Node ${node}`,
    `data on    ${device}, ${fileSystem}`,
    `commit     ${commit ?? 'unknown'}`,
    `load       ${loadAverage.join(' ')}`,
  ].join('\n')
}

/** A report as the run that made it has printed it. */
export function reportText({ startedAt, isSmoke, repeat, machine, benchmarks }: Report): string {
  return [
    `started    ${startedAt}`,
    machineText(machine),
    repeatsText(repeat, isSmoke),
    '',
    ...benchmarks.map((benchmark) => benchmarkText(benchmark, benchmark.figures)),
  ].join('\n')
}

export function repeatsText(repeat: number, isSmoke: boolean): string {
  return `repeats    ${repeat}${isSmoke ? ', smoke: the figures mean nothing' : ''}`
}

/** A table for people. What is the same in all figures stands once below it. */
export function benchmarkText(
  benchmark: Pick<BenchmarkResult, 'name' | 'summary' | 'flushPolicy' | 'repeat'>,
  figures: readonly Figure[],
): string {
  const asides = [...new Set(figures.flatMap(({ aside = [] }) => aside.map(({ name }) => name)))]
  const columns = [...firstColumns, ...asides, ...lastColumns]
  const rows = figures.map((figure) => rowOf(figure, asides))
  const limits = new Set(figures.flatMap(({ limit }) => (limit === null ? [] : [limit.name])))
  return [
    `${benchmark.name}: ${benchmark.summary}`,
    '',
    ...tableLines([columns, ...rows]),
    ...(limits.size > 0 ? ['', `  limit: ${[...limits].join('; ')}`] : []),
    ...(benchmark.flushPolicy === undefined ? [] : [`  flush policy: ${benchmark.flushPolicy}`]),
    ...(benchmark.repeat === undefined ? [] : [`  repeats: ${benchmark.repeat}`]),
    ...conditionLines(figures),
    '',
  ].join('\n')
}

function rowOf(figure: Figure, asides: readonly string[]): string[] {
  const { name, unit, value, limit, bar, verdict, hash } = figure
  return [
    name,
    `${spreadText(value, unit)}`,
    limit === null ? '' : quantityText(limit.value.median, unit),
    limit === null ? '' : limit.ratioOfMedians.toFixed(2),
    limit === null ? '' : ratioText(limit.pairwiseRatio),
    ...asides.map((aside) => asideText(figure, aside)),
    bar === null ? '' : barText(bar, unit),
    verdict === null ? '' : verdictText(verdict),
    hash,
  ]
}

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  const lineOf = (row: readonly string[]): string =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()
  const [head = [], ...body] = rows
  const rule = `  ${widths.map((width) => '─'.repeat(width)).join('  ')}`
  return [lineOf(head), rule, ...body.map(lineOf)]
}

function conditionLines(figures: readonly Figure[]): string[] {
  const values = new Map<string, Set<string | number>>()
  for (const { conditions } of figures) {
    for (const [name, value] of Object.entries(conditions)) {
      values.set(name, (values.get(name) ?? new Set()).add(value))
    }
  }
  return [...values].map(([name, all]) => `  ${name}: ${[...all].join('; ')}`)
}

function spreadText({ median, min, max }: Spread, unit: Unit): string {
  return `${quantityText(median, unit)} (${numberText(min)} … ${numberText(max)})`
}

function ratioText({ min, median, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} … ${max.toFixed(2)})`
}

/** Its own, and that of the limit. */
function asideText({ aside = [] }: Figure, name: string): string {
  const found = aside.find((one) => one.name === name)
  if (found === undefined) return ''
  const { value, limit } = found
  return [value, ...(limit === null ? [] : [limit])]
    .map(({ median }) => (Number.isFinite(median) ? numberText(median) : '–'))
    .join(' / ')
}

function barText(bar: Bar, unit: Unit): string {
  if (bar.kind === 'ratio') return `≥ ${Number(bar.atLeast.toFixed(2))} of limit`
  return 'atLeast' in bar
    ? `≥ ${quantityText(bar.atLeast, unit)}`
    : `≤ ${quantityText(bar.atMost, unit)}`
}

function verdictText({ isMet, margin }: Verdict): string {
  return isMet ? 'met' : `missed by ${(-100 * margin).toFixed(0)} %`
}

/** As `12.3 M records/s`: three digits, with a prefix where they are many. */
function quantityText(value: number, unit: Unit): string {
  return unit === 'exponent' ? numberText(value) : `${numberText(value)} ${unit}`
}

function numberText(value: number): string {
  if (value >= 1e6) return `${threeDigits(value / 1e6)} M`
  if (value >= 1e4) return `${threeDigits(value / 1e3)} k`
  return threeDigits(value)
}

function threeDigits(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
