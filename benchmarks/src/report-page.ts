import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type RunReport, reportPlots } from '@varve/bench'
import type { Report } from './harness/report.ts'
import { drawingFile } from './report/drawing.ts'
import { drawingsOf } from './report/drawings.ts'
import { reportPage } from './report/report-page.ts'

const usage = `usage: node benchmarks/dist/report-page.js RESULT.json … [--out PAGE.html | --svg DIRECTORY]

Makes one page of result files that \`--json\` wrote, with plots, complete in itself. Without --out
it is printed. With --svg each plot becomes a file of its own in a directory; there, results of
\`varve bench --json\` may be among them.
`

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        svg: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help || positionals.length === 0) {
      process.stdout.write(usage)
      return values.help ? 0 : 2
    }
    if (values.svg !== undefined) {
      for (const path of positionals) writePlots(path, values.svg)
      return 0
    }
    const reports = positionals.map((path) => {
      return { name: basename(path, '.json'), report: readReport(path) }
    })
    const page = reportPage(reports)
    if (values.out === undefined) process.stdout.write(page)
    else writeFileSync(values.out, page)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return 1
  }
}

/** Named by the benchmark and what is drawn. */
function writePlots(path: string, directory: string): void {
  mkdirSync(directory, { recursive: true })
  const content = JSON.parse(readFileSync(path, 'utf8')) as Partial<RunReport>
  if (content.schema === 'varve-bench/1') {
    for (const { title, svg } of reportPlots(content as RunReport)) {
      const name = `bench-${content.kind}-${slugOf(title)}`
      writeFileSync(join(directory, `${name}.svg`), svg)
    }
    return
  }
  for (const benchmark of readReport(path).benchmarks) {
    for (const drawing of drawingsOf(benchmark)) {
      const { name } = benchmark
      const own = drawing.title === name ? `${name}-ratios` : `${name}-${slugOf(drawing.title)}`
      writeFileSync(join(directory, `${own}.svg`), drawingFile(drawing))
    }
  }
}

function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}

function readReport(path: string): Report {
  const report = JSON.parse(readFileSync(path, 'utf8')) as Partial<Report>
  if (report.machine === undefined || !Array.isArray(report.benchmarks)) {
    throw new Error(`${path} is not a result of the benchmarks`)
  }
  return report as Report
}
