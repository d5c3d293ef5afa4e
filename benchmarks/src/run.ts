import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { benchmarks } from './benchmarks.ts'
import { flushPolicies } from './flush-policies.ts'
import { type Benchmark, BenchmarkContext, type Scale } from './harness/benchmark.ts'
import { secondsOf } from './harness/contest.ts'
import type { Figure } from './harness/figure.ts'
import { describeMachine } from './harness/machine.ts'
import {
  benchmarkText,
  machineText,
  type Report,
  repeatsText,
  reportText,
} from './harness/report.ts'

const usage = `usage: node benchmarks/dist/run.js [NAME …] [options]

NAME is one of those below, or how several begin: server-kafka is all of server-kafka-….

  --smoke        tiny sizes, one repeat: everything runs and is checked, the figures mean nothing
  --scale full   let what is measured as it grows grow all the way: tens of GiB, many minutes
  --repeat N     measure everything N times after a round that is not counted (default 7,
                 and 3 for what starts servers)
  --only TEXT    of appends-beside-compaction, the scale benchmarks and backup (which has backup,
                 verification and restore), whose figures take minutes each: those with TEXT in
                 their names; may be given several times
  --data DIR     where data is written: decides which disk is measured (default: the system's
                 directory for temporary files)
  --json FILE    write all figures, with every sample, to FILE
  --print FILE   measure nothing; print the tables of a FILE that --json wrote
  --help         print this

benchmarks:
${benchmarks.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join('\n')}
`

interface Arguments {
  readonly chosen: readonly Benchmark[]
  readonly isSmoke: boolean
  readonly scale: Scale
  /** Null where it is not said. */
  readonly repeat: number | null
  readonly only: readonly string[]
  readonly dataDirectory: string | null
  readonly jsonPath: string | null
  readonly printPath: string | null
  /** Whether this process was started for one benchmark of a run. */
  readonly isPart: boolean
}

type BenchmarkResult = Report['benchmarks'][number]

/** Figures of a smoke run mean nothing, so its benchmarks may be in each other's way. */
const smokeAtOnce = 3

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let parsed: Arguments | null
  try {
    parsed = parseArguments(args)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    return 2
  }
  if (parsed === null) {
    process.stdout.write(usage)
    return 0
  }
  const { dataDirectory, printPath } = parsed
  if (printPath !== null) {
    const report = JSON.parse(readFileSync(printPath, 'utf8')) as Report
    process.stdout.write(reportText(report))
    return 0
  }
  if (dataDirectory !== null) mkdirSync(dataDirectory, { recursive: true })
  const directory = mkdtempSync(join(dataDirectory ?? os.tmpdir(), 'varve-bench-'))
  try {
    await runAll(parsed, directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return 0
}

/** Null when help is asked for. */
function parseArguments(args: readonly string[]): Arguments | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      scale: { type: 'string', default: 'small' },
      repeat: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      data: { type: 'string' },
      json: { type: 'string' },
      print: { type: 'string' },
      part: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const chosen = positionals.flatMap((name) => {
    const exactly = benchmarks.filter((one) => one.name === name)
    const found =
      exactly.length > 0 ? exactly : benchmarks.filter((one) => one.name.startsWith(`${name}-`))
    if (found.length === 0) throw new Error(`there is no benchmark ${name}`)
    return found
  })
  const repeat = values.repeat === undefined ? null : Number(values.repeat)
  if (repeat !== null && (!Number.isInteger(repeat) || repeat < 1))
    throw new Error('--repeat takes a number from 1 on')
  if (values.scale !== 'small' && values.scale !== 'full') {
    throw new Error('--scale takes small or full')
  }
  return {
    chosen: chosen.length > 0 ? chosen : benchmarks,
    isSmoke: values.smoke,
    scale: values.scale,
    repeat,
    only: values.only,
    dataDirectory: values.data ?? null,
    jsonPath: values.json ?? null,
    printPath: values.print ?? null,
    isPart: values.part,
  }
}

async function runAll(args: Arguments, dataDirectory: string): Promise<void> {
  const { chosen, isSmoke, jsonPath } = args
  const repeat = args.repeat ?? usualRepeat(isSmoke)
  const startedAt = new Date().toISOString()
  const machine = describeMachine(dataDirectory)
  if (!args.isPart) {
    process.stdout.write(`${machineText(machine)}\n${repeatsText(repeat, isSmoke)}\n\n`)
  }
  const done: BenchmarkResult[] = []
  const results = inTurn(chosen, isSmoke && !args.isPart ? smokeAtOnce : 1, (benchmark) => {
    return args.isPart
      ? runHere(benchmark, args, dataDirectory)
      : runInOwnProcess(benchmark, args, dataDirectory)
  })
  for await (const result of results) {
    if (!args.isPart) process.stdout.write(`${benchmarkText(result, result.figures)}\n`)
    done.push(result)
    // After each of them: a run that is ended early has what it had done.
    const report: Report = { startedAt, isSmoke, repeat, machine, benchmarks: done }
    if (jsonPath !== null) writeFileSync(jsonPath, `${JSON.stringify(report, null, 2)}\n`)
  }
}

/** The results in order, of so many at once; none is begun after one that failed. */
async function* inTurn<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  run: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = []
  for (const item of items) {
    const started = run(item)
    // One that fails while another is waited for is told when its turn comes.
    started.catch(() => undefined)
    underWay.push(started)
    if (underWay.length >= atOnce) yield await (underWay.shift() as Promise<Result>)
  }
  for (const started of underWay) yield await started
}

async function runHere(
  benchmark: Benchmark,
  { isSmoke, scale, repeat: asked, only }: Arguments,
  dataDirectory: string,
): Promise<BenchmarkResult> {
  const usual = usualRepeat(isSmoke)
  const repeat = asked ?? Math.min(benchmark.repeat ?? usual, usual)
  const options = { isSmoke, scale, repeat, dataDirectory, onProgress: showProgress }
  const context = new BenchmarkContext({ ...options, ...(only.length > 0 && { only }) })
  const { name, summary } = benchmark
  const flushPolicy = flushPolicies[name]
  if (flushPolicy === undefined) throw new Error(`${name} has no flush policy`)
  let figures: readonly Figure[] = []
  const seconds = await secondsOf(async () => {
    figures = await benchmark.run(context)
  })
  showProgress('')
  return { name, summary, flushPolicy, repeat, seconds, figures }
}

function usualRepeat(isSmoke: boolean): number {
  return isSmoke ? 1 : 7
}

/** So that no benchmark finds the heap, or the compiled code, that another one has left. */
async function runInOwnProcess(
  { name }: Benchmark,
  { isSmoke, scale, repeat, only }: Arguments,
  dataDirectory: string,
): Promise<BenchmarkResult> {
  const jsonPath = join(dataDirectory, `${name}.json`)
  const repeats = repeat === null ? [] : ['--repeat', String(repeat)]
  const sizes = [...repeats, '--scale', scale, ...(isSmoke ? ['--smoke'] : [])]
  for (const text of only) sizes.push('--only', text)
  const part = [fileURLToPath(import.meta.url), name, '--part', ...sizes]
  const child = spawn(process.execPath, [...part, '--data', dataDirectory, '--json', jsonPath], {
    stdio: 'inherit',
  })
  const [status] = await once(child, 'exit')
  if (status !== 0) throw new Error(`the benchmark ${name} failed`)
  const [result] = (JSON.parse(readFileSync(jsonPath, 'utf8')) as Report).benchmarks
  if (result === undefined) throw new Error(`the benchmark ${name} has no result`)
  return result
}

/** On a terminal, one line that is written over. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}
