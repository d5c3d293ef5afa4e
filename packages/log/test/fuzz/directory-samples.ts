import { type CompressionType, endTransactionMarkerBatch, RecordBatchBuilder } from '@varve/record'
import { legacyEntry, legacyWrapper } from '../../../record/test/legacy-entries.ts'
import type { Log } from '../../src/log.ts'
import { LogDirectory, type LogDirectoryOptions } from '../../src/log-directory.ts'
import { CleanedSegmentWriter } from '../../src/segments/cleaned-segment-writer.ts'
import { ManualClock, SimulatedFileSystem } from '../../src/testing/index.ts'

/** The files of a data directory, by path. */
export type Files = ReadonlyMap<string, Buffer>

export const dataDirectory = '/data'
export const logName = 'orders-0'
const time = 1_700_000_000_000

/** Segments of a few batches, with an index entry for nearly each of them. */
export function openOptions(fs: SimulatedFileSystem): LogDirectoryOptions {
  const log = { segmentBytes: 1500, indexIntervalBytes: 100, segmentIndexBytes: 4096 }
  return { fs, clock: new ManualClock(), random: () => 0.5, log }
}

/** Data directories of every shape, as the engine itself leaves them. */
export async function directorySamples(): Promise<readonly Files[]> {
  const shapes: Array<Promise<readonly Files[]>> = [
    ...(['none', 'lz4', 'snappy', 'zstd'] as const).map((type) => appended(type)),
    transactional(),
    replaced(),
    olderFormats(),
  ]
  return (await Promise.all(shapes)).flat()
}

/** As it is after a clean shutdown, and as it was just before, when a crash would have left it. */
async function filled(fill: (log: Log, fs: SimulatedFileSystem) => Promise<void>) {
  const fs = new SimulatedFileSystem()
  const data = await LogDirectory.open(dataDirectory, openOptions(fs))
  await fill(await data.createLog('orders', 0), fs)
  const crashed = filesOf(fs)
  await data.close()
  return [filesOf(fs), crashed] as const
}

async function appended(compressionType: CompressionType): Promise<readonly Files[]> {
  return filled(async (log) => {
    for (let index = 0; index < 25; index++) {
      const value = `value of record ${index} `.repeat(1 + (index % 4))
      await log.append({ key: `key-${index}`, value, timestamp: time + index }, { compressionType })
    }
    await log.deleteSegmentsBefore(6, 'request')
  })
}

async function transactional(): Promise<readonly Files[]> {
  return filled(async (log) => {
    for (let index = 0; index < 8; index++) {
      for (const producerId of [1, 2]) {
        const identity = { producerId, producerEpoch: 0, isTransactional: true }
        const batch = new RecordBatchBuilder({ ...identity, baseSequence: index * 2 })
          .append({ value: `a${index}`, timestamp: time + index })
          .append({ value: `b${index}`, timestamp: time + index })
          .build()
        await log.appendBatch(batch)
      }
      const marker = { producerEpoch: 0, coordinatorEpoch: 0, timestamp: time + index }
      const first = { ...marker, producerId: 1, type: 'abort' } as const
      await log.appendBatch(endTransactionMarkerBatch(first), { origin: 'coordinator' })
      if (index % 3 !== 0) continue
      const second = { ...marker, producerId: 2, type: 'commit' } as const
      await log.appendBatch(endTransactionMarkerBatch(second), { origin: 'coordinator' })
    }
  })
}

/** With a cleaned segment that was put in place, and one that never was. */
async function replaced(): Promise<readonly Files[]> {
  return filled(async (log, fs) => {
    for (let index = 0; index < 12; index++) {
      await log.append({ key: `k${index % 3}`, value: `value ${index}`, timestamp: time + index })
      if (index % 4 === 3) await log.roll()
    }
    const sealed = log.segments().slice(0, -1)
    const [first, second] = sealed
    if (first === undefined || second === undefined) throw new Error('there are two segments')
    const options = { fs, log: {} }
    const writer = new CleanedSegmentWriter(log.directory, first.baseOffset, options)
    for (const batch of (await log.read({ from: 0 })).batches) {
      if (batch.baseOffset < first.nextOffset) await writer.append(batch)
    }
    await log.replaceSegments([await writer.finish(first.nextOffset)], [first])
    const unused = new CleanedSegmentWriter(log.directory, second.baseOffset, options)
    await unused.finish(second.nextOffset)
  })
}

/** Kafka's, from before 0.11: nothing here writes them, so the file is put in place. */
async function olderFormats(): Promise<readonly Files[]> {
  const [clean] = await filled(async () => undefined)
  const inner = (magic: 0 | 1, first: number): Buffer[] => {
    return [0, 1, 2].map((index) => {
      const offset = magic === 0 ? first + index : index
      return legacyEntry({ magic, offset, key: `k${index}`, value: 'v', timestamp: time })
    })
  }
  const entries = ([0, 1] as const).flatMap((magic, index) => {
    const first = index * 20
    const value = 'value'
    return [
      legacyEntry({ magic, offset: first, key: 'key', value, timestamp: time }),
      legacyEntry({ magic, offset: first + 1, key: null, value: null, timestamp: time }),
      legacyWrapper({ magic, offset: first + 4, timestamp: time }, 'gzip', inner(magic, first + 2)),
      legacyWrapper({ magic, offset: first + 7, timestamp: time }, 'lz4', inner(magic, first + 5)),
    ]
  })
  const files = new Map(clean)
  for (const path of clean.keys()) if (path.includes(`/${logName}/`)) files.delete(path)
  files.set(`${dataDirectory}/${logName}/${'0'.repeat(20)}.log`, Buffer.concat(entries))
  return [files]
}

function filesOf(fs: SimulatedFileSystem): Files {
  const files = new Map<string, Buffer>()
  for (const [path, stat] of fs.tree()) {
    if (!stat.isDirectory && !path.endsWith('/.lock')) files.set(path, fs.bytesOf(path))
  }
  return files
}
