import { LogDirectory } from '@varve/log'
import { offsetsOf } from '../harness/content-hash.ts'
import { ResultHash } from '../harness/result-hash.ts'

/** What a process that opens a data directory, and nothing else, sees. */
export interface OpenedFacts {
  readonly openMs: number
  /** More than before, garbage collected both times. */
  readonly residentKiB: number
  /** Over the offsets of every log and segment, and the newest batch of each log. */
  readonly hash: string
}

const noBytes = Buffer.alloc(0)
const [path = ''] = process.argv.slice(2)
const options = { log: { acks: 'written' } } as const
const before = resident()
const startedMs = performance.now()
const directory = await LogDirectory.open(path, options)
const openMs = performance.now() - startedMs
const residentKiB = (resident() - before) / 1024
const facts: OpenedFacts = { openMs, residentKiB, hash: await hashOfOpened() }
process.stdout.write(JSON.stringify(facts))
await directory.close()

/** When time and memory have been taken: reading would be a part of them. */
async function hashOfOpened(): Promise<string> {
  const hash = new ResultHash()
  for (const [, log] of [...directory.logs].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    hash.add(Buffer.from(offsetsOf(log), 'latin1'))
    const { batches } = await log.read({ from: log.logEndOffset - 1, maxBytes: 1 })
    for (const batch of batches) for (const { value } of batch.records()) hash.add(value ?? noBytes)
  }
  return hash.value
}

function resident(): number {
  for (let times = 0; times < 3; times++) globalThis.gc?.()
  return process.memoryUsage.rss()
}
