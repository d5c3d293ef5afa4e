import { LogDirectory } from '@varve/log'

/** What a process that opens a data directory, and nothing else, sees. */
export interface OpenedFacts {
  readonly openMs: number
  /** More than before, garbage collected both times. */
  readonly residentKiB: number
  readonly logs: number
  readonly segments: number
}

const [path = ''] = process.argv.slice(2)
const options = { log: { acks: 'written' } } as const
const before = resident()
const startedMs = performance.now()
const directory = await LogDirectory.open(path, options)
const openMs = performance.now() - startedMs
const residentKiB = (resident() - before) / 1024
const { logs } = directory
const segments = [...logs.values()].reduce((sum, log) => sum + log.segmentCount, 0)
const facts: OpenedFacts = { openMs, residentKiB, logs: logs.size, segments }
process.stdout.write(JSON.stringify(facts))
await directory.close()

function resident(): number {
  for (let times = 0; times < 3; times++) globalThis.gc?.()
  return process.memoryUsage.rss()
}
