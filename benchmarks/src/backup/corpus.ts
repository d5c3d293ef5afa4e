import { statSync } from 'node:fs'
import { LogDirectory } from '@varve/log'
import type { BenchmarkContext } from '../harness/benchmark.ts'
import { bytesHashOfFiles, segmentFilesIn } from '../harness/content-hash.ts'
import { payloadOf } from '../harness/payload.ts'
import { SeededRandom } from '../harness/random.ts'

/** A data directory, closed, that backups are taken of. */
export interface Corpus {
  readonly path: string
  /** Of the segments. */
  readonly bytes: number
  readonly description: string
  /** See {@link segmentsHash}. */
  readonly hash: string
}

const MiB = 2 ** 20
const recordBytes = 1024
const recordsPerBatch = 16

/** Two partitions of the same size: JSON events in one, bytes without any pattern in the other. */
export async function makeCorpus(context: BenchmarkContext, path: string): Promise<Corpus> {
  const partitionBytes = context.size(512 * MiB, 2 * MiB)
  const segmentBytes = context.size(64 * MiB, MiB)
  context.progress(`writing ${(2 * partitionBytes) / MiB} MiB of segments`)
  const { records, description } = payloadOf(recordBytes, 4096)
  const random = new SeededRandom(11)
  const log = { segmentBytes, acks: 'none' } as const
  await using directory = await LogDirectory.open(path, { log })
  let bytes = 0
  for (const [partition, hasPattern] of [true, false].entries()) {
    const opened = await directory.createLog('bench', partition)
    const batches = Math.floor(partitionBytes / recordBytes / recordsPerBatch)
    for (let batch = 0; batch < batches; batch++) {
      const values = Array.from({ length: recordsPerBatch }, (_, index) => {
        const record = records[(batch * recordsPerBatch + index) % records.length]
        return hasPattern ? (record?.value ?? null) : noise(random, recordBytes)
      })
      await opened.append(values.map((value) => ({ value, timestamp: batch })))
    }
    await opened.flush()
    for (const segment of opened.segments()) bytes += statSync(segment.path).size
  }
  return {
    path,
    bytes,
    hash: segmentsHash(path),
    description: `half ${description}; half random bytes; ${segmentBytes / MiB} MiB a segment`,
  }
}

/** Over the bytes of all segments of a data directory that a corpus was made in, or restored to. */
export function segmentsHash(path: string): string {
  return bytesHashOfFiles(
    [0, 1].flatMap((partition) => segmentFilesIn(`${path}/bench-${partition}`)),
  )
}

function noise(random: SeededRandom, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes)
  for (let at = 0; at < bytes; at += 4) buffer.writeUInt32LE(random.integer(2 ** 32), at)
  return buffer
}
