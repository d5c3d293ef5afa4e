import assert from 'node:assert/strict'
import { Cleaner } from '@varve/cleaner'
import { LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'

const log = { acks: 'written' } as const

/** On the event loop, so everything that it takes is time in which nothing else runs. */
export const retention: Benchmark = {
  name: 'retention',
  summary: 'retention by time and size of a log of 10,000 segments, just opened',
  async run(context) {
    const segments = context.size(10_000, 20)
    return await context.withDirectory(async (path) => {
      context.progress(`making ${segments} segments`)
      await makeLog(path, segments)
      return [
        await ofExpired(context, path, segments, 10),
        await ofExpired(context, path, segments, segments / 2),
      ]
    })
  },
}

async function makeLog(path: string, segments: number): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const opened = await directory.createLog('bench', 0)
  const { records } = payloadOf(100, 100)
  for (let segment = 0; segment < segments; segment++) {
    const [record] = records
    await opened.append({ ...record, timestamp: segment * 1000 })
    await opened.roll()
  }
}

function ofExpired(context: BenchmarkContext, path: string, segments: number, expired: number) {
  return hold(context, {
    name: `${expired} of ${segments} segments are to be deleted`,
    unit: 's',
    measured: planning(path, segments, expired),
    bar: { kind: 'value', atMost: 0.1 },
    conditions: { state: 'selection only; the log was opened a moment ago' },
  })
}

function planning(path: string, segments: number, expired: number): Contender {
  const measure = async () => {
    await using directory = await LogDirectory.open(path, { log })
    const opened = directory.log('bench', 0)
    const nowMs = segments * 1000
    const clock = { now: () => nowMs, monotonic: () => 0, setTimer: () => ({ cancel() {} }) }
    const retentionMs = (segments - expired + 1) * 1000 - 1
    const policy = () => ({ retentionMs, retentionBytes: opened.sizeBytes * 2 })
    await using cleaner = new Cleaner(directory, { policy, clock, workers: 0 })
    let deleted = 0
    const seconds = await secondsOf(() => {
      const { deletions } = cleaner.planRetention(opened)
      deleted = deletions.flatMap((deletion) => deletion.segments).length
    })
    assert.equal(deleted, expired, 'what has expired is to be deleted')
    return { value: seconds, hash: hashOfNumbers(segments, deleted) }
  }
  return { name: 'Cleaner.planRetention', measure }
}
