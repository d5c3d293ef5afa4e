import type { Offset } from '@varve/record'
import { LogDirectory } from '../../src/log-directory.ts'
import type { Random, SimulatedFileSystem } from '../../src/testing/index.ts'
import { describe, openOptions, type Shape } from './shapes.ts'

/** A batch of a shape: where it lies, and what is in it. */
export interface PlacedBatch {
  readonly path: string
  readonly position: number
  readonly end: number
  readonly baseOffset: Offset
  readonly records: readonly string[]
}

export async function batchesOf(shape: Shape): Promise<readonly PlacedBatch[]> {
  const data = await LogDirectory.open('/data', openOptions(shape.fs.fork()))
  const log = data.log('t', 0)
  const segments = log.segments()
  const batches: PlacedBatch[] = []
  for await (const batch of log.reader({ from: log.logStartOffset })) {
    const { position, baseOffset, lastOffset } = batch
    const path = segments.findLast((segment) => segment.baseOffset <= lastOffset)?.path ?? ''
    const records = [...batch.records()].map(describe)
    batches.push({ path, position, end: position + batch.sizeBytes, baseOffset, records })
  }
  await data.close()
  return batches
}

/** A stretch of a file that is no longer what it was. */
export interface Hurt {
  readonly path: string
  readonly position: number
  readonly end: number
  readonly what: string
}

/** Damages a file at a random place: a flipped bit, a cut end, or a stretch of garbage. */
export function hurt(fs: SimulatedFileSystem, path: string, random: Random): Hurt | null {
  const bytes = fs.bytesOf(path)
  if (bytes.length === 0) return null
  const position = random.int(bytes.length)
  const kind = random.pick(['flip', 'flip', 'cut', 'garbage'] as const)
  let end = position + 1
  if (kind === 'flip') {
    fs.flipBit(path, position * 8 + random.int(8))
  } else if (kind === 'cut') {
    end = bytes.length
    fs.writeBytes(path, bytes.subarray(0, position))
  } else {
    end = Math.min(bytes.length, position + random.between(1, 100))
    random.bytes(end - position).copy(bytes, position)
    fs.writeBytes(path, bytes)
  }
  return { path, position, end, what: `${kind} ${path} ${position} to ${end}` }
}

export function isHurt(batch: PlacedBatch, hurts: readonly Hurt[]): boolean {
  return hurts.some(
    ({ path, position, end }) =>
      batch.path === path && batch.position < end && batch.end > position,
  )
}
