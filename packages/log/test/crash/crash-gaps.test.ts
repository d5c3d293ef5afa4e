import { RecordBatchBuilder } from '@varve/record'
import { describe, expect, test } from 'vitest'
import type { CrashVariant } from '../../src/testing/index.ts'
import {
  crashVariants,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '../../src/testing/index.ts'
import {
  fileOf,
  offsetsOf,
  openDirectory,
  range,
  reopenLog,
  simulatedPlace,
} from '../log-fixture.ts'

/** As a broker leaves a log whose first segment it has compacted, and is then killed. */
function compactedByBroker(): SimulatedFileSystem {
  const fs = new SimulatedFileSystem()
  for (const [first, count] of [
    [0, 5],
    [10, 5],
  ] as const) {
    const builder = new RecordBatchBuilder({ baseOffset: first, leaderEpoch: 0 })
    for (const offset of range(first, first + count)) {
      builder.append({ key: `${offset}`, value: 'kept', timestamp: 1000 })
    }
    fs.writeBytes(`/data/t-0/${fileOf(first)}`, builder.build().bytes)
  }
  fs.settle()
  return fs
}

describe('a gap that a broker left between segments', () => {
  test('is not taken for a loss after any later power cut', async () => {
    const seed = seedFromEnvironment('crash-gaps.test.ts')
    const random = new Random(seed)
    const fs = compactedByBroker()
    const { log } = await reopenLog(simulatedPlace(fs))
    const acknowledged: Array<{ readonly at: number; readonly end: number }> = []
    for (let round = 0; round < 2; round += 1) {
      await log.append({ value: 'ours', timestamp: 1000 })
      acknowledged.push({ at: fs.operations, end: log.logEndOffset })
      await log.roll()
    }
    await log.append({ value: 'ours', timestamp: 1000 })
    acknowledged.push({ at: fs.operations, end: log.logEndOffset })
    for (let at = 0; at <= fs.operations; at += 1) {
      const end = acknowledged.findLast((each) => each.at <= at)?.end ?? 15
      for (const variant of crashVariants(random, 1)) await checkAt(fs, at, variant, end)
    }
  })
})

async function checkAt(
  fs: SimulatedFileSystem,
  at: number,
  variant: CrashVariant,
  end: number,
): Promise<void> {
  const directory = await openDirectory(simulatedPlace(fs.crashState(at, variant)))
  const log = directory.log('t', 0)
  const context = `after operation ${at}, ${JSON.stringify(variant)}`
  expect(log.logEndOffset, context).toBeGreaterThanOrEqual(end)
  const offsets = [...range(0, 5), ...range(10, log.logEndOffset)]
  expect(await offsetsOf(log), context).toEqual(offsets)
  await directory.close()
}
