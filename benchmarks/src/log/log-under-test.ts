import { type Log, LogDirectory, type LogOptions } from '@varve/log'
import type { BenchmarkContext } from '../harness/benchmark.ts'

/** Runs something on a new log, which is closed and removed afterwards. */
export function withNewLog<Result>(
  context: BenchmarkContext,
  options: LogOptions,
  use: (log: Log) => Promise<Result>,
): Promise<Result> {
  return context.withDirectory(async (path) => {
    await using directory = await LogDirectory.open(path, { log: options })
    return await use(await directory.createLog('bench', 0))
  })
}
