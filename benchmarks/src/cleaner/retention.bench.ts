import assert from 'node:assert/strict'
import { planLogRetention, type RetentionDeletion, resolveCleaningPolicy } from '@varve/cleaner'
import { LogDirectory, nodeFileSystem } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfTexts } from '../harness/result-hash.ts'

const log = { acks: 'written' } as const
/** As the cleaner does: what is left of it waits for the next turn of the event loop. */
const segmentsPerTurn = 1024

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
    conditions: {
      state: `the longest turn: the oldest ${segmentsPerTurn} at most; the log was just opened`,
    },
  })
}

function planning(path: string, segments: number, expired: number): Contender {
  const measure = async () => {
    await using directory = await LogDirectory.open(path, { log })
    const opened = directory.log('bench', 0)
    const nowMs = segments * 1000
    const retentionMs = (segments - expired + 1) * 1000 - 1
    const retentionBytes = opened.sizeBytes * 2
    const policy = resolveCleaningPolicy({ retentionMs, retentionBytes })
    const settings = { policy, nowMs, holds: [], segmentsMax: segmentsPerTurn }
    let deletions: readonly RetentionDeletion[] = []
    const seconds = await secondsOf(() => {
      deletions = planLogRetention(opened, nodeFileSystem, settings).deletions
    })
    const deleted = deletions.flatMap(({ reason, segments: chosen }) => {
      return chosen.map(({ baseOffset, nextOffset }) => `${reason}:${baseOffset}-${nextOffset}`)
    })
    assert.equal(
      deleted.length,
      Math.min(expired, segmentsPerTurn),
      'what has expired is to be deleted',
    )
    return { value: seconds, hash: hashOfTexts(...deleted) }
  }
  return { name: 'planLogRetention', measure }
}
