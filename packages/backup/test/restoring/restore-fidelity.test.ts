import type { Log, LogDirectory } from '@varve/log'
import { Random, seedFromEnvironment } from '@varve/log/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { recordsOf, restoredPath, Scene, sourcePath } from './scene.ts'
import { appendBatches, makeTopics } from './source-topics.ts'

let random: Random
let scene: Scene
let source: LogDirectory

beforeEach(async () => {
  random = new Random(seedFromEnvironment(expect.getState().currentTestName ?? ''))
  scene = await Scene.make()
  source = await scene.openSource()
  await makeTopics(scene, source, random)
})

const names = ['empty', 'plain', 'trimmed', 'emptied', 'compacted', 'transactional'] as const
const numberOf = (topic: string): number => (topic === 'trimmed' ? 3 : 0)

describe('a restored data directory', () => {
  test('has every record, offset, producer and transaction of the source', async () => {
    const expected = await factsOfAll(source)
    await scene.backUp(source)
    await source.close()
    const report = await scene.restore()
    expect(report.gaps).toEqual([])
    expect(report.replaced).toBeNull()
    expect(await scene.findingsIn()).toEqual([])
    await using restored = await scene.open(restoredPath)
    expect([...restored.failures]).toEqual([])
    expect(await factsOfAll(restored)).toEqual(expected)
  })

  test('has the bytes of sealed segments, and of the active one up to its end', async () => {
    await scene.backUp(source)
    await source.close()
    await scene.restore()
    for (const topic of names) {
      const name = `${topic}-${numberOf(topic)}`
      const [before, after] = [sourcePath, restoredPath].map((path) =>
        scene.logFiles(`${path}/${name}`),
      )
      expect(after).toEqual(before)
    }
  })

  test('has indexes and digests like those that the source made itself', async () => {
    const other = await Scene.make()
    // Indexes are made anew with the default settings.
    const log = { segmentBytes: 65_536 }
    const directory = await other.openSource({ log })
    await makeTopics(other, directory, random, 200)
    await other.backUp(directory)
    await directory.close()
    await other.restore()
    // Opened and closed as the source was.
    await (await other.open(restoredPath, { log })).close()
    const kinds = /\.(index|timeindex|txnindex|digest)$/
    for (const topic of ['plain', 'transactional']) {
      const [before, after] = [sourcePath, restoredPath].map((path) => {
        const files = [...other.treeOf(`${path}/${topic}-0`)]
        return new Map(files.filter(([name]) => kinds.test(name)))
      })
      expect(after).toEqual(before)
      expect([...(after ?? [])].filter(([name]) => name.endsWith('.index')).length).toBeGreaterThan(
        2,
      )
    }
  })

  test('goes on where the source was: appends, producers, another backup', async () => {
    await scene.backUp(source)
    await source.close()
    await scene.restore()
    await using restored = await scene.open(restoredPath)
    const log = restored.log('plain', 0)
    const end = log.logEndOffset
    await appendBatches(log, random, 3)
    expect(log.logEndOffset).toBeGreaterThan(end)
    const again = await scene.backUp(restored, { source: 'the restored one', kind: 'full' })
    expect(again.gaps).toEqual([])
    const transactional = restored.log('transactional', 0)
    expect(transactional.producers().length).toBeGreaterThan(1)
    expect(transactional.lastStableOffset).toBeLessThan(transactional.highWatermark)
  })

  test('is the same from an encrypted repository', async () => {
    const encryption = { passphrase: 'correct horse', scryptN: 1024, rsaBits: 2048 }
    const { fs } = scene
    const locked = await Scene.make({ encryption })
    const directory = await locked.openSource()
    await makeTopics(locked, directory, new Random(7), 15)
    await locked.backUp(directory)
    const expected = await factsOfAll(directory)
    await directory.close()
    expect(fs).not.toBe(locked.fs)
    const reader = await locked.after(locked.fs, { passphrase: 'correct horse' })
    await reader.restore()
    await using restored = await reader.open(restoredPath)
    expect(await factsOfAll(restored)).toEqual(expected)
  })

  test('of an incremental backup needs no earlier one to be read', async () => {
    await scene.backUp(source)
    await appendBatches(source.log('plain', 0), random, 20)
    await source.log('trimmed', 3).deleteSegmentsBefore(source.log('trimmed', 3).highWatermark - 1)
    await source.createLog('later', 0)
    const { base } = await scene.backUp(source)
    expect(base).not.toBeNull()
    const expected = await factsOfAll(source)
    await source.close()
    await scene.restore()
    await using restored = await scene.open(restoredPath)
    expect(await factsOfAll(restored)).toEqual(expected)
    expect(restored.logs.size).toBe(7)
  })
})

async function factsOfAll(directory: LogDirectory): Promise<Record<string, unknown>> {
  const facts: Record<string, unknown> = {}
  for (const log of directory.logs.values()) facts[log.name] = await factsOf(log)
  return facts
}

async function factsOf(log: Log): Promise<object> {
  const { logStartOffset, logEndOffset, highWatermark, lastStableOffset } = log
  const producers = log.producers().map(({ batches, lastTimestamp, ...producer }) => ({
    ...producer,
    // After a restart one batch is known, and its time, as in Kafka.
    batches: batches.slice(-1).map(({ lastSequence, lastOffset }) => [lastSequence, lastOffset]),
    lastTimestamp,
  }))
  return {
    ...{ logStartOffset, logEndOffset, highWatermark, lastStableOffset },
    records: await recordsOf(log),
    aborted: log.abortedTransactions(logStartOffset, logEndOffset),
    segments: log.segments().map(({ path: _, ...segment }) => segment),
    producers: producers.sort((a, b) => a.producerId - b.producerId),
  }
}
