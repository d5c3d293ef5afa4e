import { CleanedSegmentWriter, type Log, type LogDirectory } from '@varve/log'
import type { Random } from '@varve/log/testing'
import { emptyBatchOf, RecordBatch, RecordBatchBuilder } from '@varve/record'
import { randomBatch, randomRecord, type Scene, SceneProducer } from './scene.ts'

export const startMs = 1_800_000_000_000

/** Partitions of every sort. */
export async function makeTopics(
  scene: Scene,
  source: LogDirectory,
  random: Random,
  batches = 40,
): Promise<void> {
  await source.createLog('empty', 0)
  const plain = await source.createLog('plain', 0)
  await appendBatches(plain, random, batches)
  const trimmed = await source.createLog('trimmed', 3)
  await appendBatches(trimmed, random, batches)
  await trimmed.deleteSegmentsBefore(Math.floor(trimmed.highWatermark / 2))
  const emptied = await source.createLog('emptied', 0)
  await appendBatches(emptied, random, 5)
  await emptied.roll()
  await emptied.deleteSegmentsBefore(emptied.highWatermark)
  const compacted = await source.createLog('compacted', 0)
  await appendBatches(compacted, random, batches)
  await compact(scene, compacted, random)
  await appendTransactions(await source.createLog('transactional', 0), random, batches)
}

export async function appendBatches(log: Log, random: Random, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await log.appendBatch(randomBatch(random, startMs + log.logEndOffset * 100))
    if (random.int(12) === 0) await log.roll()
  }
}

/** Transactions of several producers at once: committed, aborted, and some left open. */
export async function appendTransactions(log: Log, random: Random, steps: number): Promise<void> {
  const producers = [11, 12, 13].map((id) => new SceneProducer(log, id))
  const open = new Set<SceneProducer>()
  const plain = new SceneProducer(log, 20)
  for (let index = 0; index < steps; index++) {
    const timestamp = startMs + log.logEndOffset * 100
    const producer = random.pick(producers)
    const turn = random.int(4)
    if (turn === 0 && open.has(producer)) {
      await producer.end(random.pick(['commit', 'abort'] as const), timestamp)
      open.delete(producer)
    } else if (turn === 1) {
      await plain.send(1 + random.int(3), { timestamp, isTransactional: false })
    } else {
      const compressionType = random.pick(['none', 'zstd', 'lz4'] as const)
      await producer.send(1 + random.int(4), { timestamp, compressionType })
      open.add(producer)
    }
    if (random.int(12) === 0) await log.roll()
  }
  const last = producers[0]
  if (last !== undefined && !open.has(last)) await last.send(2, { timestamp: startMs })
}

/**
 * What a cleaner leaves: batches with gaps between their offsets, within them, and without any
 * record.
 */
export async function compact(scene: Scene, log: Log, random: Random): Promise<void> {
  await log.roll()
  const sealed = log.segments().slice(0, -1)
  const [first, last] = [sealed[0], sealed.at(-1)]
  if (first === undefined || last === undefined) return
  const writer = new CleanedSegmentWriter(log.directory, first.baseOffset, {
    fs: scene.fs,
    log: { indexIntervalBytes: 256 },
  })
  for await (const batch of log.reader({ from: first.baseOffset })) {
    if (batch.baseOffset >= last.nextOffset) break
    if (!(batch instanceof RecordBatch)) continue
    const fate = random.int(4)
    if (fate === 0) continue
    if (fate === 1) await writer.append(emptyBatchOf(batch))
    else if (fate === 2) await writer.append(thinned(batch, random))
    else await writer.append(batch)
  }
  await log.replaceSegments([await writer.finish(last.nextOffset)], sealed)
}

/** Some records of it, in a batch that still speaks of all its offsets. */
function thinned(batch: RecordBatch, random: Random): RecordBatch {
  const { baseOffset, leaderEpoch, compressionType } = batch
  const builder = new RecordBatchBuilder({
    ...{ baseOffset, leaderEpoch, compressionType },
    // As the cleaner stamps batches with tombstones.
    ...(random.int(2) === 0 && { deleteHorizon: startMs + 1 }),
  })
  for (const { offset, key, value, headers, timestamp } of batch.records()) {
    if (random.int(2) === 0) continue
    builder.append({ key, value, headers, timestamp }, offset - baseOffset)
  }
  const { lastOffset, maxTimestamp } = batch
  return builder.build({ lastOffsetDelta: lastOffset - baseOffset, maxTimestamp })
}

/** One record a batch, in segments of a few: what is simplest to count. */
export async function appendCounted(log: Log, random: Random, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await log.append({ ...randomRecord(random, startMs), value: `v${log.logEndOffset}` })
    if (index % 5 === 4) await log.roll()
  }
}
