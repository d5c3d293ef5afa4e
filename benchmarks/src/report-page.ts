import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import type { Report } from './harness/report.ts'
import { reportPage } from './report/report-page.ts'

const usage = `usage: node benchmarks/dist/report-page.js RESULT.json … [--out PAGE.html]

Makes one page of result files that \`--json\` wrote, with plots, complete in itself. Without --out
it is printed.
`

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { out: { type: 'string' }, help: { type: 'boolean', default: false } },
    })
    if (values.help || positionals.length === 0) {
      process.stdout.write(usage)
      return values.help ? 0 : 2
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

function readReport(path: string): Report {
  const report = JSON.parse(readFileSync(path, 'utf8')) as Partial<Report>
  if (report.machine === undefined || !Array.isArray(report.benchmarks)) {
    throw new Error(`${path} is not a result of the benchmarks`)
  }
  return report as Report
}
