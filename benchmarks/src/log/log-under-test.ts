import { type Log, LogDirectory, type LogOptions } from '@varve/log'
import type { BenchmarkContext } from '../harness/benchmark.ts'
import { ResultHash } from '../harness/result-hash.ts'

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

/** Over the keys and values of all records, in the order of the log. */
export async function contentHash(log: Log): Promise<string> {
  const hash = new ResultHash()
  const reader = log.reader({ from: log.logStartOffset })
  for (let batches = await reader.nextBatches(); batches !== null; ) {
    for (const batch of batches) {
      for (const record of batch.records()) {
        if (record.key !== null) hash.add(record.key)
        if (record.value !== null) hash.add(record.value)
      }
    }
    batches = await reader.nextBatches()
  }
  return hash.value
}
