import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import type { MemoryLoad, MemoryUse } from './memory-load.ts'

const KiB = 1024
const entryPath = fileURLToPath(new URL('./memory-process.js', import.meta.url))
const execute = promisify(execFile)

type Load = Omit<MemoryLoad, 'path' | 'through' | 'totalBytes'>

export const memory: Benchmark = {
  name: 'memory',
  summary: 'highest resident memory of a process that appends 100-byte records at full speed',
  async run(context) {
    const loads: Record<string, { readonly load: Load; readonly totalBytes: number }> = {
      'batches of 64 KiB, 8 in flight, written': {
        load: { acks: 'written', unit: 'batch', batchBytes: 64 * KiB, inFlight: 8 },
        totalBytes: context.size(2 ** 30, 2 ** 22),
      },
      'batches of 1 MiB, 8 in flight, written': {
        load: { acks: 'written', unit: 'batch', batchBytes: KiB * KiB, inFlight: 8 },
        totalBytes: context.size(2 ** 30, 2 ** 22),
      },
      'records, 1,024 in flight, written': {
        load: { acks: 'written', unit: 'record', batchBytes: 0, inFlight: 1_024 },
        totalBytes: context.size(2 ** 28, 2 ** 18),
      },
      'records, 1,024 in flight, flushed': {
        load: { acks: 'flushed', unit: 'record', batchBytes: 0, inFlight: 1_024 },
        totalBytes: context.size(2 ** 27, 2 ** 18),
      },
    }
    const figures: Figure[] = []
    // Each takes two processes.
    for (const [name, { load, totalBytes }] of Object.entries(loads).slice(context.size(0, 2))) {
      figures.push(
        await hold(context, {
          name,
          unit: 'MiB',
          measured: inOwnProcess(context, 'log', load, totalBytes),
          limit: inOwnProcess(context, 'bare', load, totalBytes),
          bar: { kind: 'value', atMost: 150, always: true },
          conditions: { appended: `${Math.round(totalBytes / 1e6)} MB` },
        }),
      )
    }
    return figures
  },
}

function inOwnProcess(
  context: BenchmarkContext,
  through: MemoryLoad['through'],
  rest: Load,
  totalBytes: number,
): Contender {
  const measure = () =>
    context.withDirectory(async (directory) => {
      mkdirSync(directory)
      const load: MemoryLoad = { ...rest, through, totalBytes, path: `${directory}/data` }
      const { stdout } = await execute(process.execPath, [entryPath, JSON.stringify(load)])
      const { peakMiB, hash } = JSON.parse(stdout) as MemoryUse
      return { value: peakMiB, hash }
    })
  return { name: 'the same process with bare writes in place of the engine', measure }
}
