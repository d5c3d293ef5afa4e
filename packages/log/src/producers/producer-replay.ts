import { type Batch, type Offset, VarveError } from '@varve/record'
import { logChannels } from '../base/diagnostics.ts'
import { scanBatches } from '../format/segment-scan.ts'
import type { FileSystem } from '../storage/file-system.ts'
import type { CompletedTransaction, ProducerStateManager } from './producer-state.ts'

/** Where a replayed batch lies, for what is told of it. */
export interface ReplayPlace {
  readonly log: string
  readonly path: string
}

/**
 * Takes a batch of the log into the producer state. A control batch whose marker cannot be read is
 * whole, as its checksum says, and stays in the log: other clients have written empty ones. It says
 * nothing of producers, and is told on the corruption channel.
 */
export function replayBatch(
  producers: ProducerStateManager,
  batch: Batch,
  place: ReplayPlace,
): CompletedTransaction | null {
  // The base offset of a compressed batch of the old formats is inside; nobody needs it here.
  const baseOffset = batch.magic === 2 ? batch.baseOffset : batch.lastOffset
  try {
    return producers.update(batch, baseOffset, batch.lastOffset)
  } catch (error) {
    if (!batch.isControl || !(error instanceof VarveError)) throw error
    logChannels.corruption.publish({ ...place, error })
    return null
  }
}

/** Replays the batches of an offset range into the producer state only, without checking them. */
export async function replayProducers(
  fs: FileSystem,
  producers: ProducerStateManager,
  place: ReplayPlace,
  range: { readonly from: Offset; readonly to: Offset },
): Promise<void> {
  const file = fs.open(place.path, 'read')
  try {
    const visit = (batch: Batch): boolean => {
      if (batch.lastOffset >= range.to) return false
      if (batch.lastOffset >= range.from) replayBatch(producers, batch, place)
      return true
    }
    const { stop, position, reason } = await scanBatches(file, visit, { validate: false })
    if (stop === 'end' || stop === 'visitor') return
    const error = `producers are not known from position ${position} on: ${reason}`
    logChannels.corruption.publish({ ...place, error })
  } finally {
    file.close()
  }
}
